import type { AddressInfo } from "node:net";
import { env } from "node:process";
import { createChat } from "./app.ts";

let port = Number(env.PORT ?? 3000);
const { http } = await createChat();

// The next port if one is taken, rather than a random one: the page has to find the server
// again after it has been started anew.
http.on("error", (error: NodeJS.ErrnoException) => {
  if (error.code !== "EADDRINUSE") throw error;
  http.listen(++port);
});
http.once("listening", () => {
  const { port } = http.address() as AddressInfo;
  console.log(`The chat is at http://localhost:${port}`);
});
http.listen(port);
