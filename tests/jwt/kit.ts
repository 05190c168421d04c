// What the tests of ./jwt share: servers with the few lines that README shows, and their clients.
import type { AuthEvent, Outcome } from "../../mod.ts";
import { jwt, type JwtOptions } from "../../src/jwt/jwt.ts";
import type { Client } from "../kit/client.ts";
import { places } from "../kit/targets.ts";
import { openWorld, type World } from "../kit/world.ts";
import { AUDIENCE, ISSUER } from "./issuer.ts";

// deno-lint-ignore no-explicit-any -- tests use the options as the application would
export type AnyOptions = Partial<JwtOptions<any, any>>;

/** A guarded server. */
export interface JwtWorld extends World {
  /** Has a new client sign in with credentials; resolves with what it was answered. */
  tell(credentials: unknown): Promise<Outcome>;
  /** The same for a client that is there. */
  refresh(client: Client, credentials: unknown): Promise<Outcome>;
  /** The session of the client that signed in last. */
  readonly session: ReturnType<World["auth"]["session"]>;
  readonly events: AuthEvent[];
}

/** Starts a server that verifies tokens of the usual issuer. */
export function openJwtWorld(options: AnyOptions, policy: object = {}): Promise<JwtWorld> {
  return openGuarded(jwt({ issuer: ISSUER, audience: AUDIENCE, ...options }), policy);
}

export async function openGuarded(guarding: object, policy: object = {}): Promise<JwtWorld> {
  const events: AuthEvent[] = [];
  const observe = (event: AuthEvent) => events.push(event);
  // (Bun's own engine takes no such interval.) A client takes it for a server that is gone, if the clock goes on by more than a ping.
  const server = { pingInterval: 10_000_000 };
  const options = { ...guarding, handshake: true, observe, ...policy };
  const world = await openWorld(places[0]!, options, { server });
  const refresh = async (client: Client, credentials: unknown) => {
    return await client.socket.emitWithAck("authentication", credentials) as Outcome;
  };
  return {
    ...world,
    events,
    refresh,
    tell: async (credentials) => await refresh(await world.connect(), credentials),
    get session() {
      const [, socket] = world.log.all.findLast(([name]) => name === "connection")!;
      return world.auth.session(socket as never);
    },
  };
}

/** What an outcome comes to: `"ok"`, or the code. */
export const codeOf = (outcome: Outcome): string => outcome.ok ? "ok" : outcome.code;
