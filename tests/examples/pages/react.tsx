import { socket, traces } from "./socket.ts";
import { type ReactNode, StrictMode, useEffect } from "react";
import { createRoot } from "react-dom/client";
import { Chat } from "../../../examples/react/chat.tsx";

const root = createRoot(document.getElementById("root")!);
let mounts = 0;

/** Shows that effects run twice. */
function Counter(): ReactNode {
  useEffect(() => void mounts++, []);
  return null;
}

Object.assign(globalThis, {
  traces,
  connect: () => new Promise<void>((resolve) => socket.connect().once("connect", resolve)),
  mounts: () => mounts,
  unmount: () => root.unmount(),
  disconnect: () => void socket.disconnect(),
});
root.render(
  <StrictMode>
    <Counter />
    <Chat socket={socket} />
  </StrictMode>,
);
