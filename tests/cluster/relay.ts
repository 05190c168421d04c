import type { ChildProcess } from "node:child_process";
import { onDispose } from "../kit/disposal.ts";

/** What the primary of node:cluster does for the adapter, which not every runtime has. */
export function relay(processes: ChildProcess[]): { isCut: boolean } {
  const link = { isCut: false };
  for (const sender of processes) {
    sender.on("message", (message: { source?: string }) => {
      if (link.isCut || message.source !== "_sio_adapter") return;
      for (const other of processes) {
        if (other !== sender && other.connected) other.send(message);
      }
    });
  }
  onDispose(() => processes.forEach((process) => process.removeAllListeners("message")));
  return link;
}
