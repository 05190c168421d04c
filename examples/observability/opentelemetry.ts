/**
 * Counts what happens to clients with OpenTelemetry.
 *
 * ```ts
 * const meter = metrics.getMeter("socketio-auth");
 * // The type has to be there: `auth` is needed to say what `auth` is.
 * const auth: Auth<User> = socketioAuth(io, {
 *   verify,
 *   observe: meterAuthEvents(meter, { stats: () => auth.stats() }),
 * });
 * ```
 *
 * Set the global `MeterProvider` up before that: a meter that is older than its
 * provider records nothing, and says nothing about it.
 *
 * - `socketio_auth.events`, by `type` and `code`: watch `unauthorized` by `code`.
 *   `server_error` is a bug or a database that is down; the error itself goes to
 *   the option `onError`. `timeout` is a slow verifier, or clients that never
 *   ask; `onError` is told the likely cause. A flood of `authentication_failed` is
 *   somebody who guesses.
 * - `socketio_auth.attempt.duration`: seconds from the arrival of credentials to the
 *   answer, which is what people wait for; their own part in challenges included.
 * - `socketio_auth.verification.duration`: seconds of it that the verifier took,
 *   challenges apart. Compare it with the option `timeout`. What is between the two
 *   without challenges is schema and throttle: a limiter's store may be slow, too.
 * - `socketio_auth.sockets`, by `state`: sockets that are `pending` or
 *   `authenticated` now, on this node. Many pending for long: clients cannot sign in.
 *
 * An `attempt` without a `code` was accepted.
 *
 * @module
 */
import type { Meter } from "@opentelemetry/api";
import type { AuthEvent, Stats } from "@socketio-auth/socketio-auth";
import { labelsOf } from "./labels.ts";

/** Seconds. The defaults are made for milliseconds. */
const BOUNDARIES = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

/**
 * Makes a function for the option `observe` that counts every event. Call it
 * once for each meter.
 *
 * @param source what `socketioAuth` returns; it is asked whenever metrics are collected
 * @param ownCodes the codes your `AuthError`s have; any other is counted as "other"
 */
export function meterAuthEvents(
  meter: Meter,
  source: { stats(): Stats },
  ownCodes: readonly string[] = [],
): (event: AuthEvent) => void {
  const events = meter.createCounter("socketio_auth.events", {
    description: "What has happened to sockets",
    unit: "{event}",
  });
  const createDuration = (name: string, description: string) => {
    const advice = { explicitBucketBoundaries: BOUNDARIES };
    return meter.createHistogram(name, { description, unit: "s", advice });
  };
  const attempt = createDuration(
    "socketio_auth.attempt.duration",
    "How long it took from the arrival of credentials to the answer",
  );
  const verification = createDuration(
    "socketio_auth.verification.duration",
    "How long the verifier took to answer",
  );
  // No gauge, because the numbers of all nodes may be added up.
  meter.createObservableUpDownCounter("socketio_auth.sockets", {
    description: "Sockets that are connected now",
    unit: "{socket}",
  }).addCallback((result) => {
    const { pending, authenticated } = source.stats();
    result.observe(pending, { state: "pending" });
    result.observe(authenticated, { state: "authenticated" });
  });

  return (event) => {
    events.add(1, labelsOf(event, ownCodes));
    if (event.type !== "attempt") return;
    attempt.record(event.duration / 1000);
    // The verifier is not asked about each attempt.
    if (event.verification !== undefined) verification.record(event.verification / 1000);
  };
}
