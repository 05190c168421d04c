import { readFile } from "node:fs/promises";
import { createServer, type Server as HttpServer } from "node:http";
import { Server } from "socket.io";
import { type Auth, socketioAuth } from "../../mod.ts";
import type { Accounts } from "../chat/accounts.ts";
import { type Account, Passkeys } from "./passkeys.ts";

/** What people can sign in with: a passkey, or a password to get one. */
type Credentials = { passkey: true } | { username: string; password: string };

/** A page that signs in with passkeys, and the server behind it. */
export interface App {
  readonly http: HttpServer;
  readonly io: Server;
  readonly auth: Auth<Account>;
}

/** Creates the app for `http://localhost` on whichever port it will listen at. */
export async function createApp(accounts: Accounts, origin: () => string): Promise<App> {
  const page = await readFile(new URL("./public/index.html", import.meta.url), "utf8");
  const http = createServer((_request, response) => {
    response.writeHead(200, { "content-type": "text/html; charset=utf-8" }).end(page);
  });
  const io = new Server(http);
  // WebAuthn is for secure origins, of which localhost is one.
  const passkeys = new Passkeys({
    id: "localhost",
    get origin() {
      return origin();
    },
  });

  const auth = socketioAuth(io, {
    async verify(_socket, given: Credentials, { challenge }) {
      if ("passkey" in Object(given)) return await passkeys.verify(challenge);
      const { username, password } = Object(given);
      if (typeof username !== "string" || typeof password !== "string") return undefined;
      return await accounts.verify(username, password);
    },
    userId: (account) => account.name,
    attempts: 5,
    timeout: 10_000,
  });

  // Whoever is signed in may register a passkey, for the next time.
  io.on("connection", (socket) => {
    socket.on("register", async (done: (isDone: boolean) => void) => {
      const ask = (options: unknown) => socket.timeout(60_000).emitWithAck("register", options);
      done(await passkeys.register(auth.user(socket), ask).catch(() => false));
    });
  });
  return { http, io, auth };
}
