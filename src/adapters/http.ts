/**
 * `serve` for runtimes that have `node:http`.
 *
 * @module
 */
import { createServer } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import { allowRequestOf, type Ask } from "./allow_request.ts";
import {
  assertUnattached,
  optionsOf,
  type Running,
  type Servable,
  type ServeOptions,
  urlOf,
} from "./serve.ts";

/** The engine that `attach` has made, as far as it asks whether a request may open a transport. */
interface Engine {
  readonly opts: {
    allowRequest?: (
      request: { readonly socket: Socket },
      callback: (reason: string | undefined, isAllowed: boolean) => void,
    ) => unknown;
  };
}

/**
 * Starts a `node:http` server for `io` alone. The first answer of socket.io's option `allowRequest`
 * counts. If that option throws or rejects, the request is refused.
 *
 * @param io a `Server` that is not attached yet
 * @param options where to listen
 * @returns the running server, once it listens; rejects if it cannot listen, for example with
 * `EADDRINUSE`
 */
export async function serve(io: Servable, options: ServeOptions = {}): Promise<Running> {
  assertUnattached(io);
  const ask = allowRequestOf(optionsOf(io));
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
  if (ask) settleRequests((io as unknown as { engine: Engine }).engine, ask);
  const { port: actual } = http.address() as AddressInfo;
  return { url: urlOf(hostname, actual), port: actual, close: () => io.close() };
}

/** Makes the engine's option `allowRequest` answer once for each request, without throwing. */
function settleRequests({ opts }: Engine, ask: Ask): void {
  opts.allowRequest = async (request, callback) => {
    const { socket } = request;
    // The connection may break meanwhile, and has no other error listener during an upgrade.
    socket.on("error", ignore);
    const reason = await ask(request);
    socket.off("error", ignore);
    callback(reason, reason === undefined);
  };
}

function ignore(): void {}
