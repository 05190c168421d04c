import type { Server, ServerOptions } from "socket.io";
import { type Auth, type ErrorContext, type Options, socketioAuth } from "../../mod.ts";
import { type Client, connectClient } from "./client.ts";
import { onDispose } from "./disposal.ts";
import { EventQueue } from "./events.ts";
import { createServer, type Place, start } from "./targets.ts";
import { type User, verify } from "./users.ts";

export { type User, verify } from "./users.ts";

// deno-lint-ignore no-explicit-any -- tests use the options as the application would
type AnyOptions = Partial<Options<any, any, any>>;

/** A guarded server with what tests watch of it. */
export interface World {
  readonly io: Server;
  readonly auth: Auth<User>;
  readonly url: string;
  /** What `onError` was told. */
  readonly errors: { error: unknown; context: ErrorContext<unknown> }[];
  /** Events of the server side: `connection`, hooks, whatever a test pushes. */
  readonly log: EventQueue;
  connect(path?: string): Promise<Client>;
  /** Ends the server as a crash does for its clients: connections break, nobody is told. */
  close(): Promise<void>;
}

/** Starts a guarded server; `setUp` runs before it listens. */
export async function openWorld(
  place: Place,
  options: AnyOptions = {},
  { setUp, server, port }: {
    setUp?: (io: Server) => unknown;
    server?: Partial<ServerOptions>;
    port?: number;
  } = {},
): Promise<World> {
  const io = createServer(server);
  const log = new EventQueue();
  const errors: World["errors"] = [];
  const auth = socketioAuth(
    io,
    {
      ...!("authenticate" in options) && { verify },
      onError: (error, context) => void errors.push({ error, context }),
      // Tests that are about the deadline set their own.
      timeout: 30_000,
      ...options,
    } as AnyOptions & { verify: typeof verify },
  ) as Auth<User>;
  io.on("connection", (socket) => log.push("connection", socket));
  await setUp?.(io);
  const { url, close } = await start(place, io, port);
  onDispose(close);
  return { io, auth, url, log, errors, close, connect: (path) => connectClient(place, url, path) };
}

interface Transport {
  once(event: "close", listener: () => void): void;
}

/** The transports that the engine still holds. */
export function transportsOf(io: Server): Transport[] {
  const { clients } = io.engine as unknown as {
    clients: Map<string, Transport> | Record<string, Transport>;
  };
  return clients instanceof Map ? [...clients.values()] : Object.values(clients);
}

/** Resolves once the engine holds no transport any more. */
export async function engineIsEmpty(io: Server): Promise<void> {
  await Promise.all(
    transportsOf(io).map((transport) => {
      return new Promise<void>((resolve) => transport.once("close", resolve));
    }),
  );
}
