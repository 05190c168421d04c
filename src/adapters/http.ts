/**
 * `serve` for runtimes that have `node:http`.
 *
 * @module
 */
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import {
  assertUnattached,
  type Running,
  type Servable,
  type ServeOptions,
  urlOf,
} from "./serve.ts";

/**
 * Starts a `node:http` server for `io`, and for nothing else.
 *
 * @param io a `Server` that is not attached yet
 * @param options where to listen
 * @returns once it listens; rejects if it cannot, for example `EADDRINUSE`
 */
export async function serve(io: Servable, options: ServeOptions = {}): Promise<Running> {
  assertUnattached(io);
  const { port = 3000, hostname } = options;
  const http = createServer((_request, response) => {
    response.writeHead(404).end();
  });
  await new Promise<void>((resolve, reject) => {
    http.once("error", reject);
    http.listen(port, hostname, () => {
      http.off("error", reject);
      resolve();
    });
  });
  io.attach(http);
  const { port: actual } = http.address() as AddressInfo;
  return { url: urlOf(hostname, actual), port: actual, close: () => io.close() };
}
