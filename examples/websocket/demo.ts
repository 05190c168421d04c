/**
 * A server for plain WebSockets and two of its clients, in the terminal: what you
 * type, ada says, and eve, who never signs in, hears nothing of it.
 * `npm run example:websocket`
 */
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import process from "node:process";
import { createInterface } from "node:readline";
import { WebSocket, WebSocketServer } from "ws";
import { AuthError } from "../../mod.ts";
import { websocketAuth } from "./websocket_auth.ts";

const HELP =
  `Two clients, ada and eve, are connected to a server of plain WebSockets. Neither is signed in.
Type something and press Enter: ada says it. Until she is signed in, the server holds it. Or:
  /wrong     ada signs in with a wrong password
  /in        ada signs in
  /out       the server signs ada out, and leaves her connected
  /revoke    the server ends every session of ada's
  /quit`;

const server = new WebSocketServer({ port: 0, host: "127.0.0.1", maxPayload: 10_000 });
const auth = websocketAuth(server, {
  verify(_socket, { name, password }: { name: string; password: string }) {
    if (password !== "lovelace") throw new AuthError("Wrong password");
    return { id: name };
  },
  timeout: "none",
  attempts: 3,
}, (socket) => {
  const { id } = auth.user(socket);
  socket.on("say", (text) => auth.broadcast("said", id, text));
  onCommand.out = () => auth.deauthenticate(socket);
});
const onCommand: Record<string, () => unknown> = {
  wrong: () => send("authentication", { name: "ada", password: "x" }),
  in: () => send("authentication", { name: "ada", password: "lovelace" }),
  revoke: () => auth.revoke({ userId: "ada" }),
  quit: () => process.exit(),
};

await once(server, "listening");
const { port } = server.address() as AddressInfo;
let ada = connect("ada");
connect("eve");

console.log(HELP);
createInterface({ input: process.stdin }).on("line", (line) => {
  const command = /^\/(\w+)$/.exec(line)?.[1];
  if (!command) send("say", line);
  else if (onCommand[command]) onCommand[command]();
  else console.log(HELP);
}).on("close", () => process.exit());

function connect(name: string): WebSocket {
  const ws = new WebSocket(`ws://127.0.0.1:${port}`);
  ws.on("message", (data) => {
    const { event, args } = JSON.parse(String(data));
    console.log(
      `  ${name} hears ${event} ${args.map((it: unknown) => JSON.stringify(it)).join(" ")}`,
    );
  });
  ws.on("close", (code) => {
    console.log(`  ${name} was closed with ${code}; she comes back`);
    if (name === "ada") ada = connect(name);
    else connect(name);
  });
  return ws;
}

function send(event: string, ...args: unknown[]): void {
  ada.send(JSON.stringify({ event, args }));
}
