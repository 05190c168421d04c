/**
 * Counts what happens to clients with prom-client.
 *
 * ```ts
 * import { register } from "prom-client";
 *
 * // The type has to be there: `auth` is needed to say what `auth` is.
 * const auth: Auth<User> = socketioAuth(io, {
 *   verify,
 *   observe: countAuthEvents(register, { stats: () => auth.stats() }),
 * });
 * // Wherever you serve /metrics: the type is register.contentType,
 * // the body await register.metrics().
 * ```
 *
 * - `socketio_auth_events_total`, by `type` and `code`: watch `unauthorized` by `code`.
 *   `server_error` is a bug or a database that is down; the error itself goes to
 *   the option `onError`. `timeout` is a slow verifier, or clients that never
 *   ask; `onError` is told the likely cause. A flood of `authentication_failed` is
 *   somebody who guesses.
 * - `socketio_auth_attempt_duration_seconds`: how long it takes from the arrival of
 *   credentials to the answer, which is what people wait for; their own part in
 *   challenges included.
 * - `socketio_auth_verification_duration_seconds`: how long the verifier takes of it,
 *   challenges apart. Compare it with the option `timeout`. What is between the two
 *   without challenges is schema and throttle: a limiter's store may be slow, too.
 * - `socketio_auth_sockets`, by `state`: sockets that are `pending` or
 *   `authenticated` now, on this node. Many pending for long: clients cannot sign in.
 *
 * An `attempt` without a `code` was accepted. Refusals in five minutes, by code:
 *
 *     sum by (code) (increase(socketio_auth_events_total{type="unauthorized"}[5m]))
 *
 * @module
 */
import { Counter, Gauge, Histogram, type Registry } from "prom-client";
import type { AuthEvent, Stats } from "@socketio-auth/socketio-auth";
import { labelsOf } from "./labels.ts";

/**
 * Makes a function for the option `observe` that counts every event. Call it
 * once for each registry, which takes each name only once.
 *
 * @param source what `socketioAuth` returns; it is asked whenever metrics are collected
 * @param ownCodes the codes your `AuthError`s have; any other is counted as "other"
 */
export function countAuthEvents(
  registry: Registry,
  source: { stats(): Stats },
  ownCodes: readonly string[] = [],
): (event: AuthEvent) => void {
  const registers = [registry];
  const events = new Counter({
    name: "socketio_auth_events_total",
    help: "What has happened to sockets",
    labelNames: ["type", "code"],
    registers,
  });
  // The buckets that prom-client has by default are made for seconds.
  const attempt = new Histogram({
    name: "socketio_auth_attempt_duration_seconds",
    help: "How long it took from the arrival of credentials to the answer",
    registers,
  });
  const verification = new Histogram({
    name: "socketio_auth_verification_duration_seconds",
    help: "How long the verifier took to answer",
    registers,
  });
  new Gauge({
    name: "socketio_auth_sockets",
    help: "Sockets that are connected now",
    labelNames: ["state"],
    registers,
    collect() {
      const { pending, authenticated } = source.stats();
      this.set({ state: "pending" }, pending);
      this.set({ state: "authenticated" }, authenticated);
    },
  });

  return (event) => {
    events.inc(labelsOf(event, ownCodes));
    if (event.type !== "attempt") return;
    attempt.observe(event.duration / 1000);
    // The verifier is not asked about each attempt.
    if (event.verification !== undefined) verification.observe(event.verification / 1000);
  };
}
