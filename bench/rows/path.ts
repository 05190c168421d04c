/**
 * What runs for one sign-in, without options: the functions of this package between the
 * `authentication` packet and `authenticated`, as V8 counts them.
 *
 * @module
 */
import { type Profiler, Session } from "node:inspector";
import { Server } from "socket.io";
import { io as connect } from "socket.io-client";
import { serve } from "../../src/adapters/node.ts";
import { socketioAuth } from "../../mod.ts";

/** How many functions of this package ran, and in how many files. */
export interface Path {
  readonly functions: number;
  readonly files: number;
  /** Their names, by file. */
  readonly names: Readonly<Record<string, readonly string[]>>;
}

const SOURCES = new URL("../../src/", import.meta.url).href;

/** A transport of the engine, as far as it tells of its packets. */
interface Transport {
  on(event: "packet" | "packetCreate", listener: (packet: { data?: unknown }) => void): void;
}

/** Signs in three clients, one after the other, and returns what ran for the last one. */
export async function followSignIn(): Promise<Path> {
  const inspector = new Session();
  inspector.connect();
  const take = () => {
    let taken: Profiler.ScriptCoverage[] = [];
    inspector.post("Profiler.takePreciseCoverage", (_error, { result }) => taken = result);
    return taken;
  };
  inspector.post("Profiler.enable");
  inspector.post("Profiler.startPreciseCoverage", { callCount: true, detailed: false });

  const io = new Server({ serveClient: false });
  socketioAuth(io, { verify: () => ({ id: "ada" }) });
  const { url, close } = await serve(io, { port: 0, hostname: "127.0.0.1" });
  let path: Path | undefined;
  try {
    for (let round = 0; round < 3; round++) {
      io.engine.once("connection", (transport: Transport) => {
        transport.on("packet", ({ data }) => {
          if (String(data).includes("authentication")) take();
        });
        transport.on("packetCreate", ({ data }) => {
          if (String(data).includes('"authenticated"')) path = pathOf(take());
        });
      });
      const socket = connect(url, { transports: ["websocket"], forceNew: true });
      await new Promise<void>((resolve) => {
        socket.on("connect", () => socket.emit("authentication", { token: "x" }));
        socket.on("authenticated", () => resolve());
      });
      socket.disconnect();
    }
  } finally {
    inspector.disconnect();
    await close();
  }
  return path!;
}

function pathOf(scripts: Profiler.ScriptCoverage[]): Path {
  const names: Record<string, string[]> = {};
  for (const { url, functions } of scripts) {
    if (!url.startsWith(SOURCES)) continue;
    const ran = functions
      .filter(({ ranges: [range] }) => range!.count > 0)
      .map(({ functionName }) => functionName || "(anonymous)");
    if (ran.length > 0) names[url.slice(SOURCES.length)] = ran;
  }
  return { functions: Object.values(names).flat().length, files: Object.keys(names).length, names };
}
