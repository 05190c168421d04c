// What the compiler knows of users whichever option answers and whatever it declares. Nothing here
// runs, it only has to compile; an `@ts-expect-error` in front of a line that is fine is an error
// itself.
import type { Server, Socket } from "socket.io";
import { type Auth, type Callback, socketioAuth, type VerifyContext } from "../../mod.ts";
import { type Credentials, type Equal, expect, type User } from "./expect.ts";

declare const io: Server;
declare const user: User;

/** The third parameter of `verify` needs no annotation, and takes nothing away from the user. */
export function verifyWithoutAnnotation(): void {
  const auth = socketioAuth(io, {
    async verify(_socket, { token }, context) {
      expect<Equal<typeof context, VerifyContext>>();
      const answer = await context.challenge(token);
      return answer === "1" && user;
    },
    userId: (known) => known.id,
    expiresAt(known) {
      expect<Equal<typeof known, User>>();
      return known.until;
    },
  });
  expect<Equal<typeof auth, Auth<User>>>();

  const plain = socketioAuth(io, {
    verify: (_socket, { token }, { signal }) => token !== "" && !signal.aborted && user,
    userId: (known) => known.id,
  });
  expect<Equal<typeof plain, Auth<User>>>();

  socketioAuth(io, {
    // @ts-expect-error -- it cannot be called: that is `authenticate`
    verify: (_socket, _credentials, context) => context(null, user),
  });
  // @ts-expect-error -- it answers by what it returns
  socketioAuth(io, { verify: (_socket, _data, callback: Callback<User>) => callback(null, user) });
}

/** `verify` with an annotation, as it stands apart from the options. */
export function verifyWithAnnotation(): void {
  async function verify(_socket: Socket, { token }: Credentials, { challenge }: VerifyContext) {
    return await challenge(token) === "1" && user;
  }
  const auth = socketioAuth(io, { verify, userId: (known) => known.id });
  expect<Equal<typeof auth, Auth<User>>>();
}

/** The user of `authenticate` is what its callback takes; what it returns is nobody's business. */
export function authenticate(): void {
  const untyped = socketioAuth(io, {
    authenticate(_socket, _data, callback) {
      callback(null, user);
      callback(null, true);
      callback("no");
      return setTimeout(() => {}, 5);
    },
    userId(known) {
      expect<Equal<typeof known, unknown>>();
      return 1;
    },
  });
  expect<Equal<typeof untyped, Auth<unknown>>>();

  const typed = socketioAuth(io, {
    async authenticate(_socket, { token }: Credentials, callback: Callback<User>) {
      await Promise.resolve();
      callback(null, token === "right" && user);
    },
    userId: (known) => known.id,
  });
  expect<Equal<typeof typed, Auth<User>>>();
  // @ts-expect-error -- not what the callback takes
  socketioAuth(io, { authenticate: (_s, _d, callback: Callback<User>) => callback(null, 5) });
}

interface ChatSocket extends Socket {
  user: User;
}

/** Applications give their sockets types of their own. */
export function socketsOfTheApplication(): void {
  const auth = socketioAuth(io, {
    verify: async (socket: ChatSocket, { token }: Credentials) => {
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
    verify: (socket: Socket) => socket.connected && user,
    postAuthenticate(socket) {
      expect<Equal<typeof socket.auth, boolean>>();
    },
  });
  // @ts-expect-error -- not a socket of this server
  socketioAuth(io, { verify: (socket: { nickname: string }) => socket.nickname });
}
