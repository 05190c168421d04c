/**
 * Counts what happens to clients with OpenTelemetry.
 *
 * ```ts
 * const meter = metrics.getMeter("socketio-auth");
 * // The type has to be there: `auth` is needed to say what `auth` is.
 * const auth: Auth<User> = socketioAuth(io, {
 *   authenticate,
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
 *   ask. A flood of `authentication_failed` is somebody who guesses.
 * - `socketio_auth.attempt.duration`: seconds that `authenticate` takes.
 *   Compare it with the option `timeout`.
 * - `socketio_auth.sockets`, by `state`: sockets that are `pending` or
 *   `authenticated` now, on this node. Many pending for long: nobody can sign in.
 *
 * An `attempt` without a `code` was accepted.
 *
 * @module
 */
import type { Meter } from "@opentelemetry/api";
import type { AuthEvent, Stats } from "../../mod.ts";
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
  const duration = meter.createHistogram("socketio_auth.attempt.duration", {
    description: "How long the verifier took to answer",
    unit: "s",
    advice: { explicitBucketBoundaries: BOUNDARIES },
  });
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
    if (event.type === "attempt") duration.record(event.duration / 1000);
  };
}
