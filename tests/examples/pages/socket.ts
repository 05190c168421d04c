import { timers } from "./timers.ts";
import { io, type Socket } from "socket.io-client";

/** What a page tells its test. */
export interface Traces {
  readonly connected: boolean;
  /** How many timers are due. */
  readonly timers: number;
  /** Functions that the socket has of its own, and how many listen to it and to its manager. */
  readonly methods: string[];
  readonly listeners: number;
}

/** The transport is in the page's address. */
const transport = new URLSearchParams(location.search).get("transport");

/** The page's socket; it comes back quickly. */
export const socket: Socket = io({
  autoConnect: false,
  transports: [transport === "polling" ? "polling" : "websocket"],
  reconnectionDelay: 50,
  reconnectionDelayMax: 100,
});

/** What there is to see of a session. */
export function traces(): Traces {
  const own = Object.entries(socket).filter(([, value]) => typeof value === "function");
  return {
    connected: socket.connected,
    timers: timers.size,
    methods: own.map(([name]) => name),
    listeners: socket.listeners("chat").length + socket.io.listeners("reconnect_failed").length,
  };
}
