import type { Server, ServerOptions } from "socket.io";
import type { Auth, AuthEvent, Options } from "../../mod.ts";
import { createAuth } from "../../src/core/auth.ts";
import { Guard } from "../../src/core/guard.ts";
import { type Policy, resolvePolicy } from "../../src/core/policy.ts";
import { bindingOf } from "../../src/socketio/binding.ts";
import { gateOf } from "../../src/socketio/gate/prototype.ts";
import { install } from "../../src/socketio/install.ts";
import { findTarget } from "../../src/socketio/target.ts";
import { FakeClock } from "../core/fakes.ts";
import { connectClient } from "./client.ts";
import { onDispose } from "./disposal.ts";
import { EventQueue } from "./events.ts";
import { createServer, type Place, start } from "./targets.ts";
import type { World } from "./world.ts";

/** A guarded server whose time stands still until the test says otherwise. */
export interface TimedWorld extends World {
  readonly clock: FakeClock;
  /** What `observe` was told. */
  readonly events: AuthEvent[];
}

/** Starts one, with the deadline of the default, a second; `setUp` runs before it listens. */
export async function openTimedWorld(
  place: Place,
  // deno-lint-ignore no-explicit-any -- tests use the options as the application would
  options: Options<any, any, any>,
  setUp: (io: Server) => unknown = () => {},
  server: Partial<ServerOptions> = {},
): Promise<TimedWorld> {
  const io = createServer(server);
  const clock = new FakeClock();
  const log = new EventQueue();
  const errors: World["errors"] = [];
  const events: AuthEvent[] = [];
  const policy = resolvePolicy({
    onError: (error, context) => void errors.push({ error, context }),
    observe(event) {
      events.push(event);
      log.push(event.type, event);
    },
    ...options,
  }) as Policy<unknown>;
  const target = findTarget(io);
  const guard = new Guard(policy, bindingOf(target, clock));
  install(target, guard);
  const auth: Auth<never> = createAuth(guard, gateOf as never);
  io.on("connection", (socket) => log.push("connection", socket));
  await setUp(io);
  const { url, close } = await start(place, io);
  onDispose(close);
  const connect = (path?: string) => connectClient(place, url, path);
  return { io, auth, url, log, errors, close, connect, clock, events };
}
