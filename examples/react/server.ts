/** Starts the example: `npm run example:react`. */
import { Server } from "socket.io";
import { socketioAuth } from "@socketio-auth/socketio-auth";
import { Accounts } from "../chat/accounts.ts";
import { listen } from "../kit/listen.ts";
import { createPage } from "../kit/page.ts";

const accounts = await Accounts.create({ ada: "lovelace" });
const http = await createPage(
  new URL("./index.html", import.meta.url),
  new URL("./main.tsx", import.meta.url),
);
const io = new Server(http);
const auth = socketioAuth(io, {
  async verify(_socket, credentials) {
    const { username, password } = Object(credentials);
    return await accounts.verify(username, password);
  },
  userId: (account) => account.name,
  timeout: 10_000,
  // Short enough to see that the client refreshes the session.
  expiresAt: () => Date.now() + 60_000,
});

io.on("connection", (socket) => {
  const { name } = auth.user(socket);
  socket.on("chat", (text) => {
    if (typeof text === "string") io.emit("chat", `${name}: ${text}`);
  });
});

await listen(http, "The example of a page in React");
