// What the compiler knows of users whichever way `authenticate` answers and whatever it
// declares. Nothing here runs, it only has to compile; an `@ts-expect-error` in front of a line
// that is fine is an error itself.
import type { Server, Socket } from "socket.io";
import { type Attempt, type Auth, socketioAuth } from "../../mod.ts";
import { type Credentials, type Equal, expect, type User } from "./expect.ts";

declare const io: Server;
declare const user: User;

/** The third parameter needs no annotation, and takes nothing away from what is returned. */
export function attemptsWithoutAnnotation(): void {
  const auth = socketioAuth(io, {
    async authenticate(_socket, { token }, attempt) {
      expect<Equal<typeof attempt.signal, AbortSignal>>();
      const answer = await attempt.challenge(token);
      return answer === "1" && user;
    },
    userId: (known) => known.id,
    expiresAt(known) {
      expect<Equal<typeof known, User>>();
      return known.until;
    },
  });
  expect<Equal<typeof auth, Auth<User>>>();

  const destructured = socketioAuth(io, {
    async authenticate(_socket, { token }, { challenge, signal }) {
      expect<Equal<typeof signal, AbortSignal>>();
      return await challenge(token) === "1" && user;
    },
    reply(known) {
      expect<Equal<typeof known, User>>();
      return known.id;
    },
  });
  expect<Equal<typeof destructured, Auth<User>>>();

  const plain = socketioAuth(io, {
    authenticate: (_socket, { token }, attempt) => token !== "" && !attempt.signal.aborted && user,
    userId: (known) => known.id,
  });
  expect<Equal<typeof plain, Auth<User>>>();

  const untyped = socketioAuth(io, {
    authenticate(_socket, _credentials, callback) {
      callback(null, user);
      callback(null, true);
      callback("no");
    },
    userId(known) {
      expect<Equal<typeof known, unknown>>();
      return 1;
    },
  });
  expect<Equal<typeof untyped, Auth<unknown>>>();
}

/** With an annotation it does, and for functions that return nothing it is all there is. */
export function attemptsWithAnnotation(): void {
  const callsBack = socketioAuth(io, {
    async authenticate(_socket, { token }: Credentials, attempt: Attempt<User>) {
      await Promise.resolve();
      attempt(null, token === "right" && user);
    },
    userId: (known) => known.id,
  });
  expect<Equal<typeof callsBack, Auth<User>>>();

  const returns = socketioAuth(io, {
    async authenticate(_socket, { token }: Credentials, attempt: Attempt<User>) {
      return await attempt.challenge(token) === "1" && user;
    },
    userId: (known) => known.id,
  });
  expect<Equal<typeof returns, Auth<User>>>();
  // @ts-expect-error -- not what the callback takes
  socketioAuth(io, { authenticate: (_s, _c, attempt: Attempt<User>) => attempt(null, 5) });
}

interface ChatSocket extends Socket {
  user: User;
}

/** Applications give their sockets types of their own. */
export function socketsOfTheApplication(): void {
  const auth = socketioAuth(io, {
    authenticate: async (socket: ChatSocket, { token }: Credentials) => {
      socket.user = await Promise.resolve(user);
      return token === "right" && user;
    },
    postAuthenticate(socket) {
      expect<Equal<typeof socket.user, User>>();
      expect<Equal<typeof socket.auth, boolean>>();
    },
    disconnect(socket: ChatSocket) {
      socket.user.id.toFixed();
    },
    reply: (known) => known.id,
  });
  expect<Equal<typeof auth, Auth<User>>>();

  socketioAuth(io, {
    authenticate: (socket: Socket) => socket.connected && user,
    postAuthenticate(socket) {
      expect<Equal<typeof socket.auth, boolean>>();
    },
  });
  // @ts-expect-error -- not a socket of this server
  socketioAuth(io, { authenticate: (socket: { nickname: string }) => socket.nickname });
}
