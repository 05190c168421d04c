import { createServer, type Server as HttpServer } from "node:http";
import { RateLimiterMemory } from "rate-limiter-flexible";
import { Server } from "socket.io";
import { type Auth, socketioAuth } from "@socketio-auth/socketio-auth";
import { SecondFactors } from "../second-factor/totp.ts";
import { Accounts } from "./accounts.ts";
import { createAuthenticator } from "./authenticator.ts";
import { Conversation } from "./conversation.ts";
import { createFileHandler } from "./files.ts";
import { createVerifier, type Member } from "./sign_in.ts";
import { Tokens } from "./tokens.ts";

/** What a chat can be told. All times are in milliseconds. */
export interface ChatOptions {
  /** How long a client has to sign in: long enough to watch, here. */
  timeout?: number;
  /** How long a session lasts, unless it is refreshed: short enough to watch. */
  session?: number;
  /** How many wrong guesses an address has within a minute. */
  guesses?: number;
  /** How long it is between two ticks of the clock. */
  tick?: number;
}

/** A chat that does not listen yet. */
export interface Chat {
  readonly http: HttpServer;
  readonly io: Server;
}

/** How many events are held for a client that has not signed in. */
const HELD = 32;

/** Creates the chat: a page, and the server behind its two clients. */
export async function createChat(
  { timeout = 60_000, session = 30_000, guesses = 10, tick = 2_000 }: ChatOptions = {},
): Promise<Chat> {
  const accounts = await Accounts.create({ ada: "lovelace", grace: "hopper" });
  const factors = new SecondFactors();
  const authenticator = createAuthenticator(factors.enroll("grace"));
  const tokens = new Tokens();

  const http = createServer(await createFileHandler(timeout, authenticator));
  const io = new Server(http, { connectionStateRecovery: {} });

  const auth: Auth<Member> = socketioAuth(io, {
    timeout,
    verify: createVerifier({ accounts, factors, tokens, duration: session }),
    throttle: { limiter: new RateLimiterMemory({ points: guesses, duration: 60 }) },
    userId: (member) => member.name,
    expiresAt: (member) => member.expiresAt,
    reply: ({ name, token }) => ({ name, token }),
    // A refresh with the password has brought another token: each socket has one.
    postRefresh(socket, { user: { token } }) {
      if (token !== auth.user(socket).token) tokens.revoke(token);
    },
    // Far less than it would be, so that one can see what happens.
    holdLimit: { events: HELD },
  });

  // There is no check of who may send or receive below: these sockets are signed in, and a
  // broadcast goes to such sockets only.
  const conversation = new Conversation();
  io.on("connection", (socket) => {
    const { name } = auth.user(socket);
    conversation.join(socket, name);

    socket.on("sign out", () => {
      // That of the moment: a refresh may have brought another one since.
      tokens.revoke(auth.user(socket).token);
      auth.deauthenticate(socket);
    });

    socket.on("sign out elsewhere", async (acknowledge: unknown) => {
      if (typeof acknowledge !== "function") return;
      tokens.revokeOthers(name, auth.user(socket).token);
      acknowledge(await auth.revoke({ userId: name }, { except: socket }));
    });
  });
  every(tick, http, () => io.emit("clock", new Date().toTimeString().slice(0, 8)));

  return { http, io };
}

/** Calls `fn` again and again, for as long as the server listens. */
function every(ms: number, http: HttpServer, fn: () => void): void {
  http.once("listening", () => {
    const timer = setInterval(fn, ms);
    http.once("close", () => clearInterval(timer));
  });
}
