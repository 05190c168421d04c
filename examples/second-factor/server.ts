/**
 * Starts the example: a server whose users have a second factor, and a client in this terminal.
 * `npm run example:second-factor`
 */
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import process from "node:process";
import { createInterface } from "node:readline";
import { Secret, TOTP } from "otpauth";
import { RateLimiterMemory } from "rate-limiter-flexible";
import { Server } from "socket.io";
import { io as connect } from "socket.io-client";
import { socketioAuth } from "@socketio-auth/socketio-auth";
import { authenticate } from "@socketio-auth/socketio-auth/client";
import { Accounts } from "../chat/accounts.ts";
import { passwordThenTotp, SecondFactors } from "./totp.ts";

const accounts = await Accounts.create({ ada: "lovelace", grace: "hopper" });
const factors = new SecondFactors();
const totp = new TOTP({
  issuer: "The example of a second factor",
  label: "grace",
  secret: Secret.fromBase32(factors.enroll("grace")),
});

const http = createServer();
const io = new Server(http);
socketioAuth(io, {
  verify: passwordThenTotp({ accounts, factors }),
  userId: (account) => account.name,
  reply: (account) => account.name,
  timeout: 10_000,
  throttle: {
    limiter: new RateLimiterMemory({ points: 5, duration: 60 }),
    key: (_socket, { username }) => `account:${username}`,
  },
});
http.listen(0, "127.0.0.1");
await once(http, "listening");
const url = `http://127.0.0.1:${(http.address() as AddressInfo).port}`;

console.log(`A server runs, and a client in this terminal signs in.
ada has the password lovelace, and no second factor. grace has the password hopper, and one:
an authenticator app takes her secret from this address,
  ${totp}
or use the code that is shown. Try a wrong code, and a code for the second time.
`);

const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]();

async function ask(question: string): Promise<string> {
  process.stdout.write(question);
  const { value, done } = await lines.next();
  if (done) process.exit();
  return value;
}

/** Signs in over a connection of its own; resolves with what came of it, as text. */
async function signIn(username: string, password: string): Promise<string> {
  const socket = connect(url, { autoConnect: false, forceNew: true });
  const session = authenticate(socket, { username, password }, {
    onChallenge: () => ask(`One-time code (now ${totp.generate()}): `),
  });
  // A refusal that allows for another try later is told by the state alone.
  const isOver = new Promise<void>((resolve) => {
    session.subscribe(() => {
      if (["authenticated", "stopped", "waiting"].includes(session.state)) resolve();
    });
  });
  await isOver;
  const { state, error } = session;
  session.stop();
  socket.disconnect();
  return state === "authenticated" ? `Signed in as ${username}` : `Refused: ${error?.message}`;
}

while (true) {
  const username = await ask("Name: ");
  console.log(`${await signIn(username, await ask("Password: "))}\n`);
}
