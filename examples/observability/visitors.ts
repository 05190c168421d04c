import { io, type Socket } from "socket.io-client";

/** Visitors, each of whom does something else. Without credentials, a visitor says nothing. */
const visitors: readonly (object | undefined)[] = [
  { username: "ada", password: "lovelace" },
  { username: "ada", password: "byron" },
  undefined,
];

/** How long it is from one visitor to the next, in milliseconds. */
const PAUSE = 2_000;

/** Sends one visitor after the other to a server, for ever. */
export function sendVisitors(url: string): void {
  let count = 0;
  const send = () => visit(url, visitors[count++ % visitors.length]);
  send();
  setInterval(send, PAUSE);
}

function visit(url: string, credentials: object | undefined): void {
  const socket: Socket = io(url, { forceNew: true, reconnection: false });
  if (credentials) socket.emit("authentication", credentials);
  socket.on("authenticated", () => socket.disconnect());
}
