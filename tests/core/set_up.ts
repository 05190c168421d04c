import { Connection } from "../../src/core/connection.ts";
import { resolvePolicy } from "../../src/core/policy.ts";
import { type FakeClock, FakeGuard, FakePeer } from "./fakes.ts";

/** Answers an attempt, as a Node callback. */
export type Callback = (error?: unknown, success?: unknown) => void;

/** A connection, and what tests watch of it. */
export interface Scene {
  readonly guard: FakeGuard;
  readonly clock: FakeClock;
  readonly connection: Connection<string, unknown>;
  /** Its first socket. */
  readonly peer: FakePeer;
  /** The verifier's answers, one for each attempt it was asked about. */
  readonly answers: Callback[];
  /** The hooks that have run. */
  readonly hooks: string[];
  /** What `onError` was told. */
  readonly errors: unknown[];
}

/** A connection with one peer, whose verifier answers when the test says so. */
export function setUp(options: object = {}): Scene {
  const hooks: string[] = [];
  const errors: unknown[] = [];
  const answers: Callback[] = [];
  const policy = resolvePolicy<string, unknown, unknown>({
    authenticate: (_socket, _credentials, attempt) => void answers.push(attempt as Callback),
    postAuthenticate: (socket) => hooks.push(`post ${socket}`),
    disconnect: (socket, reason) => hooks.push(`gone ${socket} ${reason}`),
    onError: (error) => errors.push(error),
    ...options,
  });
  const guard = new FakeGuard(policy);
  const connection = new Connection(guard, null);
  const peer = new FakePeer("a");
  connection.join(peer);
  return { guard, clock: guard.clock, connection, peer, answers, hooks, errors };
}
