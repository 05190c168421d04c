import { createServer, type Server as HttpServer } from "node:http";
import { Server } from "socket.io";
import { socketioAuth } from "../../mod.ts";
import { Accounts } from "./accounts.ts";
import { createFileHandler } from "./files.ts";

/** What a chat can be told. */
export interface ChatOptions {
  /** Milliseconds a client has to sign in: long enough to watch, here. */
  timeout?: number;
  /** Milliseconds between two ticks of the clock. */
  tick?: number;
}

/** A chat that does not listen yet. */
export interface Chat {
  readonly http: HttpServer;
  readonly io: Server;
}

/** How many events are held for a client that has not signed in. */
const HELD = 32;

/** The longest message that is passed on, in characters. */
const LONGEST = 500;

/** Creates the chat: a page, and the server behind its two clients. */
export async function createChat(
  { timeout = 60_000, tick = 2_000 }: ChatOptions = {},
): Promise<Chat> {
  const accounts = await Accounts.create({ ada: "lovelace", grace: "hopper" });
  const http = createServer(await createFileHandler(timeout));
  const io = new Server(http);

  const auth = socketioAuth(io, {
    timeout,
    async authenticate(_socket, credentials: unknown) {
      return isCredentials(credentials) &&
        await accounts.verify(credentials.username, credentials.password);
    },
    reply: (account) => ({ name: account.name }),
    // Far less than it would be, so that one can see what happens.
    holdLimit: { events: HELD },
  });

  // No check for who may send or receive anywhere below: who gets here is a
  // member, and a broadcast goes to members only.
  io.on("connection", (socket) => {
    const from = auth.session(socket)!.user.name;
    socket.on("chat", (text: unknown) => {
      if (isMessage(text)) io.emit("chat", { from, text });
    });
  });
  every(tick, http, () => io.emit("clock", new Date().toISOString()));

  return { http, io };
}

/** Calls `fn` again and again, for as long as the server listens. */
function every(ms: number, http: HttpServer, fn: () => void): void {
  http.once("listening", () => {
    const timer = setInterval(fn, ms);
    http.once("close", () => clearInterval(timer));
  });
}

function isCredentials(value: unknown): value is { username: string; password: string } {
  const { username, password } = (value ?? {}) as Record<string, unknown>;
  return typeof username === "string" && typeof password === "string";
}

function isMessage(value: unknown): value is string {
  return typeof value === "string" && value.trim() !== "" && value.length <= LONGEST;
}
