// What the documentation leaves to its reader. The names exported here are globals for
// every code block in it, so their types are real: a block that misuses one is wrong.
import type { RedisClientType } from "redis";
import type { Server, Socket } from "socket.io";
import type { Socket as ClientSocket } from "socket.io-client";
import type * as react from "../../examples/react/use_session.ts";
import type * as library from "../../mod.ts";

interface User {
  readonly id: string;
  readonly name: string;
  readonly role: string;
  /** The secret of a second factor, for those who have one. */
  readonly totp?: string;
}

interface Credentials {
  readonly username: string;
  readonly password: string;
}

/** What an application may keep of a session. */
interface StoredSession {
  readonly session: { readonly id: string; readonly expiresAt: Date };
  readonly user: User;
}

/** Further up in the same document, these are imported. */
export declare const socketioAuth: typeof library.socketioAuth;
export declare const AuthError: typeof library.AuthError;
export declare const admit: typeof library.admit;
export declare const cookies: typeof library.cookies;

/** On the server. */
export declare const io: Server;
export declare const auth: library.Auth<User>;
export declare const sessionId: string;
export declare const sessions: { find(token: string): Promise<StoredSession> };
export declare function verifyToken(token: string): Promise<{ sub: string; exp: number }>;
export declare const logger: import("pino").Logger;
export declare const storeClient: RedisClientType;
export declare const perAddress: library.Limiter;
export declare const perAccount: library.Limiter;
export declare function findSession(id: string): Promise<User | undefined>;
export declare function checkPassword(username: string, password: string): Promise<User | null>;
export declare function isRightCode(user: User, code: unknown): boolean;
export declare function verify(
  socket: Socket,
  credentials: Credentials,
): Promise<User | undefined>;

/** On the client. */
export declare const socket: ClientSocket;
export declare const useSession: typeof react.useSession;
export declare const url: string;
export declare const token: string;
export declare function getToken(): Promise<string>;
export declare function promptFor(type: string): Promise<string>;
