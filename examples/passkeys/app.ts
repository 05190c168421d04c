import type { Server as HttpServer } from "node:http";
import { Server } from "socket.io";
import { type Auth, socketioAuth } from "@socketio-auth/socketio-auth";
import { createPage } from "../kit/page.ts";
import { type Account, Passkeys } from "./passkeys.ts";

/** Credentials: a passkey, or a password to get one. */
type Credentials = { passkey: true } | { username: string; password: string };

/** Checks passwords. Both arguments come from the client, and may be anything. */
interface Accounts {
  verify(name: unknown, password: unknown): Promise<Account | undefined>;
}

/** A page that signs in with passkeys, and the server behind it. */
export interface App {
  readonly http: HttpServer;
  readonly io: Server;
  readonly auth: Auth<Account>;
}

/** Creates the app for `http://localhost` on whichever port it will listen at. */
export async function createApp(accounts: Accounts, origin: () => string): Promise<App> {
  const http = await createPage(
    new URL("./index.html", import.meta.url),
    new URL("./page.ts", import.meta.url),
  );
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
      return await accounts.verify(username, password);
    },
    userId: (account) => account.name,
    attempts: 5,
    timeout: 10_000,
  });

  // A user who is signed in may register a passkey, for the next time.
  io.on("connection", (socket) => {
    socket.on("register", async (acknowledge: unknown) => {
      // The event comes from a client, and may be without one.
      if (typeof acknowledge !== "function") return;
      const ask = (options: unknown) => socket.timeout(60_000).emitWithAck("register", options);
      acknowledge(await passkeys.register(auth.user(socket), ask).catch(() => false));
    });
  });
  return { http, io, auth };
}
