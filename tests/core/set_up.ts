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
    // At the moment the test says so, which a promise would put off.
    ...!("verify" in options) && {
      authenticate: (_socket: string, _data: unknown, callback: Callback) => {
        answers.push(callback);
      },
    },
    postAuthenticate: (socket: string) => hooks.push(`post ${socket}`),
    disconnect: (socket: string, reason: string) => hooks.push(`gone ${socket} ${reason}`),
    onError: (error: unknown) => errors.push(error),
    ...options,
  } as never);
  const guard = new FakeGuard(policy);
  const connection = new Connection(guard, null);
  const peer = new FakePeer("a");
  connection.join(peer);
  return { guard, clock: guard.clock, connection, peer, answers, hooks, errors };
}
