import type { Server, ServerOptions, Socket } from "socket.io";
import { AuthError, type CommonOptions, type VerifyContext, type VerifyOption } from "../../mod.ts";
import { assertEquals } from "#testing";
import type { Place } from "./targets.ts";
import { openTimedWorld, type TimedWorld } from "./timed.ts";
import type { Visitor } from "./visitor.ts";

export interface User {
  id: string;
  ends?: number;
}

export interface Credentials {
  user?: string;
  /** Tells two credentials of one user apart. */
  token?: number;
  /** Has the verifier ask a further question. */
  isAsked?: boolean;
  ends?: number;
}

/** What is going on while a verifier, or a middleware, has not answered. */
export class Doors {
  /** Credentials that the verifier was asked about. */
  readonly asked: Credentials[] = [];
  /** Those that wait for the test; nothing waits unless it says so. */
  readonly open: Map<string, () => void> = new Map();
  readonly shut: Set<string> = new Set();

  async pass(name: string): Promise<void> {
    if (this.shut.has(name)) await new Promise<void>((resolve) => this.open.set(name, resolve));
  }
}

/** A server, and what is going on there. */
export interface House extends TimedWorld {
  readonly doors: Doors;
}

/** A server whose users are who they say they are, but for one who is nobody. */
export async function openHouse(
  place: Place,
  options:
    & Partial<VerifyOption<Socket, User, Credentials>>
    & CommonOptions<Socket, User, Credentials> = {},
  setUp: (io: Server) => unknown = () => {},
  server: Partial<ServerOptions> = {},
): Promise<House> {
  const doors = new Doors();
  const world = await openTimedWorld(place, {
    handshake: true,
    async verify(_socket: Socket, credentials: Credentials, { challenge }: VerifyContext) {
      doors.asked.push(credentials);
      await doors.pass(`verifier ${credentials.user}`);
      if (credentials.isAsked) await challenge("code?");
      if (credentials.user === "nobody") throw new AuthError("no", { code: "wrong" });
      const { user, ends } = credentials;
      return user && { id: user, ...ends !== undefined && { ends } };
    },
    expiresAt: ({ ends }: User) => ends,
    ...options,
  }, async (io) => {
    for (const name of ["/", "/chat", "/admin"]) {
      io.of(name).use((socket, next) => {
        world?.log.push(`middleware ${name}`, socket);
        doors.pass(name).then(() => next(), next);
      });
      io.of(name).on("connection", (socket) => {
        const session = world.auth.session(socket)!;
        world.log.push(`met ${name}`, (session.user as unknown as User).id);
      });
    }
    await setUp(io);
  }, server);
  return Object.assign(world, { doors });
}

export async function signIn(
  visitor: Visitor,
  path: string,
  credentials: Credentials,
): Promise<void> {
  visitor.ask(path, credentials);
  await visitor.connected();
  assertEquals(await visitor.event(), `${path} authenticated`);
}

export const ANN = { user: "ann" };
export const BOB = { user: "bob" };
export const NOBODY = { user: "nobody" };
