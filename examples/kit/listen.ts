import type { Server } from "node:http";
import type { AddressInfo } from "node:net";
import { env } from "node:process";

/**
 * Listens at `PORT` or 3000, or at the next port that is free, and prints the address. Resolves
 * with it. A random port would not do: a page has to find the server again after a restart.
 */
export async function listen(http: Server, what: string): Promise<string> {
  let port = Number(env.PORT ?? 3000);
  const onTaken = (error: NodeJS.ErrnoException) => {
    if (error.code !== "EADDRINUSE") throw error;
    http.listen(++port, "localhost");
  };
  http.on("error", onTaken);
  const listening = new Promise<void>((resolve) => http.once("listening", resolve));
  http.listen(port, "localhost");
  await listening;
  http.off("error", onTaken);
  const url = `http://localhost:${(http.address() as AddressInfo).port}`;
  console.log(`${what} is at ${url} (${navigator.userAgent})`);
  return url;
}
