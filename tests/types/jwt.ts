// What the compiler knows of the users and claims of tokens without being told. Nothing here runs,
// it only has to compile; an `@ts-expect-error` in front of a line that is fine is an error itself.
import type { Server, Socket } from "socket.io";
import { z } from "zod";
import { type Auth, socketioAuth } from "../../mod.ts";
import { jwt, type JwtClaims, type JwtOptions, type JwtPolicy } from "../../src/jwt/jwt.ts";
import { type Credentials, type Equal, expect, type User } from "./expect.ts";

declare const io: Server;
declare const socket: Socket;
declare const user: User;

const trusted = { jwks: "https://id.example/jwks", issuer: "https://id.example/", audience: "a" };

/** Without further options the claims are the user. */
export function claimsForUser(): void {
  const auth = socketioAuth(io, { ...jwt(trusted), handshake: true });
  expect<Equal<typeof auth, Auth<JwtClaims>>>();
  const { sub, exp, role } = auth.user(socket);
  expect<Equal<typeof sub, string>>();
  expect<Equal<typeof exp, number>>();
  expect<Equal<typeof role, unknown>>();
}

/** The option `user` types the user, wherever one is taken. */
export function userOfOption(): void {
  const auth = socketioAuth(io, {
    ...jwt({
      ...trusted,
      async user(claims, { signal }) {
        expect<Equal<typeof claims, JwtClaims>>();
        expect<Equal<typeof signal, AbortSignal>>();
        return await Promise.resolve(claims.sub === "ada") && user;
      },
      userId: (claims) => claims.sub,
    }),
    handshake: true,
    reply(known, guarded) {
      expect<Equal<typeof known, User>>();
      expect<Equal<typeof guarded.auth, boolean>>();
      return guarded.id;
    },
    expiresAt: (known) => known.until,
    authorize: (known, { nsp }) => nsp.name !== "/" && known.id > 0,
    postAuthenticate: (guarded) => guarded.join("all"),
  });
  expect<Equal<typeof auth, Auth<User>>>();
  const known = auth.user(socket);
  expect<Equal<typeof known, User>>();
}

/** The schema types the claims. */
export function claimsOfSchema(): void {
  const claims = z.object({ role: z.enum(["admin", "member"]), sub: z.string() });
  const auth = socketioAuth(io, jwt({ ...trusted, claims }));
  const { role } = auth.user(socket);
  expect<Equal<typeof role, "admin" | "member">>();

  const both = jwt({
    ...trusted,
    claims,
    user(known) {
      expect<Equal<typeof known.role, "admin" | "member">>();
      return known.role === "admin" ? user : undefined;
    },
    sessionId: (known) => known.role,
  });
  expect<Equal<typeof both, JwtPolicy<User>>>();
  // @ts-expect-error -- not among the claims
  jwt({ ...trusted, claims, userId: (known) => known.email });
}

/** Several issuers have users of one type. */
export function severalIssuers(): void {
  const plain = socketioAuth(io, jwt([trusted, trusted]));
  expect<Equal<typeof plain, Auth<JwtClaims>>>();
  const option: JwtOptions<JwtClaims, User> = { ...trusted, user: () => user };
  const auth = socketioAuth(io, jwt([option, { ...trusted, user: () => user }]));
  expect<Equal<typeof auth, Auth<User>>>();
}

/** The policy goes together with other options, and with credentials that have a type. */
export function together(): void {
  const credentials = z.object({ token: z.string() });
  const auth = socketioAuth(io, {
    ...jwt(trusted),
    credentials,
    throttle: {
      limiter: { consume: () => Promise.resolve() },
      key: (_socket, { token }) => token,
    },
    postAuthenticate(_socket, { token }: Credentials) {
      token.trim();
    },
  });
  expect<Equal<typeof auth, Auth<JwtClaims>>>();

  const policy = jwt(trusted);
  const guests = socketioAuth(io, {
    async verify(guarded, { token, name }, context) {
      if (token) return await policy.verify(guarded, { token }, context);
      return { sub: String(name), exp: 0 } satisfies JwtClaims;
    },
  });
  const guest = guests.user(socket).sub;
  expect<Equal<typeof guest, string>>();
}

/** What is left out by mistake is an error. */
export function required(): void {
  const { jwks, issuer, audience } = trusted;
  // @ts-expect-error -- no audience
  jwt({ jwks, issuer });
  // @ts-expect-error -- no issuer
  jwt({ jwks, audience });
  jwt({ jwks, issuer: false, audience: ["a", "b"] });
  // @ts-expect-error -- there is no such option
  jwt({ jwks, issuer, audience, aud: "a" });
}
