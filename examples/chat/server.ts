import type { AddressInfo } from "node:net";
import { env } from "node:process";
import { createChat } from "./app.ts";

const { http } = await createChat();

http.once("error", (error: NodeJS.ErrnoException) => {
  if (error.code !== "EADDRINUSE") throw error;
  http.listen(0);
});
http.once("listening", () => {
  const { port } = http.address() as AddressInfo;
  console.log(`The chat is at http://localhost:${port}`);
});
http.listen(Number(env.PORT ?? 3000));
