/**
 * Clients of a server in a process of their own, told over IPC what to do. They speak Engine.IO
 * and Socket.IO over plain WebSockets, so that they take as little of the machine as they can.
 */
import { WebSocket } from "ws";
import { serveCommands } from "../../tests/cluster/commands.ts";
import { Counter } from "../counter.ts";
import { credentials, type CredentialsOf } from "./credentials.ts";

/** How a client signs in: by an event, along with CONNECT, or not at all. */
export type Way = "event" | "CONNECT" | "nothing";

/** Clients to be opened. */
export interface Opening {
  readonly url: string;
  readonly count: number;
  /** How many are on their way at once. */
  readonly atOnce?: number;
  /** How many set out in a second, however far those before them have come. */
  readonly perSecond?: number;
  readonly way: Way;
  /** A name among the `credentials`. */
  readonly credentials: string;
  /** What the next one waits for: that one is where it wants to be, unless it says otherwise. */
  readonly until?: "closed";
  /** How many namespaces they are spread over; only the main one without it. */
  readonly namespaces?: number;
  /** Engine.IO's protocol, 4 unless it is for socket.io 2, which is 3. */
  readonly protocol?: 3 | 4;
}

/** When the clients of this process were closed, in epoch milliseconds. */
export interface Closings {
  readonly count: number;
  readonly first: number;
  readonly last: number;
}

/** Those that are open, and when they will be closed. */
const clients = new Map<WebSocket, Promise<void>>();
const closings = { count: 0, first: Infinity, last: -Infinity };
let opened = 0;
const news = new Counter();

/** Opens one. Resolves once it is where it wants to be or, at the latest, closed. */
function open(opening: Opening, credentialsOf: CredentialsOf): Promise<void> {
  const { way, namespaces, protocol = 4, until } = opening;
  const n = opened++;
  const namespace = namespaces ? `/n${n % namespaces},` : "";
  const payload = JSON.stringify(credentialsOf(n));
  const address = `${
    opening.url.replace("http", "ws")
  }/socket.io/?EIO=${protocol}&transport=websocket`;
  const client = new WebSocket(address, { perMessageDeflate: false });
  const connected = `40${namespace}`;
  const last = way === "event" ? `42${namespace}["authenticated"` : connected;
  const closed = new Promise<void>((resolve) => client.on("close", () => resolve()));
  clients.set(client, closed);
  void closed.then(() => noteClosed(client));
  // Whoever is cut in the middle of the handshake is told so by an error.
  client.on("error", () => {});
  const arrived = new Promise<void>((resolve) => {
    client.on("message", (data: Uint8Array) => {
      const packet = String(data);
      if (packet === "2") client.send("3");
      if (packet.startsWith("0") && protocol === 4) {
        client.send(way === "CONNECT" ? connected + payload : connected);
      }
      if (packet.startsWith(connected) && way === "event") {
        client.send(`42${namespace}["authentication",${payload}]`);
      }
      if (packet.startsWith(last)) resolve();
      if (packet.startsWith('42["news"')) news.add();
    });
  });
  return until === "closed" ? closed : Promise.race([arrived, closed]);
}

function noteClosed(client: WebSocket): void {
  clients.delete(client);
  closings.count++;
  closings.first = Math.min(closings.first, Date.now());
  closings.last = Math.max(closings.last, Date.now());
}

/** Begins to work at a pace of its own. Resolves once all of it is done. */
async function atPace(
  count: number,
  perSecond: number,
  work: () => Promise<void>,
): Promise<void> {
  const start = performance.now();
  const begun: Promise<void>[] = [];
  while (begun.length < count) {
    const due = Math.ceil((performance.now() - start) / 1000 * perSecond);
    while (begun.length < Math.min(due, count)) begun.push(work());
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
  await Promise.all(begun);
}

async function inTurns(count: number, atOnce: number, work: () => Promise<void>): Promise<void> {
  let left = count;
  const worker = async () => {
    while (left-- > 0) await work();
  };
  await Promise.all(Array.from({ length: Math.min(atOnce, count) }, worker));
}

serveCommands({
  open(opening: Opening): Promise<void> {
    const { count, atOnce = 1, perSecond } = opening;
    const credentialsOf = credentials[opening.credentials]!;
    const work = () => open(opening, credentialsOf);
    return perSecond ? atPace(count, perSecond, work) : inTurns(count, atOnce, work);
  },
  /** Resolves once all are closed. */
  async gone(): Promise<void> {
    await Promise.all(clients.values());
  },
  async close(): Promise<void> {
    for (const client of clients.keys()) client.close();
    await Promise.all(clients.values());
  },
  /** Each sends events, so many in all. */
  async send(count: number): Promise<void> {
    const all = [...clients.keys()];
    for (let i = 0; i < count; i++) {
      all[i % all.length]!.send(`42["event",${i},"some text as there is in an event"]`);
      // The server is not to be given megabytes at once.
      if (i % 500 === 499) await new Promise(setImmediate);
    }
  },
  /** Resolves once they have heard so many events since it was called last. */
  hear: (count: number) => news.reach(count),
  /** When those were closed that were since this was called last. */
  closings(): Closings {
    const before = { ...closings };
    Object.assign(closings, { count: 0, first: Infinity, last: -Infinity });
    return before;
  },
}, "");
