import { assert, assertEquals, describe, it } from "#testing";
import { MeterProvider, MetricReader } from "@opentelemetry/sdk-metrics";
import { pino } from "pino";
import { Registry } from "prom-client";
import { meterAuthEvents } from "../../examples/observability/opentelemetry.ts";
import { logAuthEvents } from "../../examples/observability/pino.ts";
import { countAuthEvents } from "../../examples/observability/prometheus.ts";
import { AuthError, type AuthEvent, type Stats } from "../../mod.ts";
import { disposeAfterEach } from "../kit/disposal.ts";
import { engineOnly, type Place } from "../kit/targets.ts";
import { openWorld, type World } from "../kit/world.ts";

const RIGHT = "correct-horse";
const WRONG = "battery-staple";
/** Not every engine knows the client's address by itself. */
const ADDRESS = "203.0.113.9";

interface Credentials {
  readonly username: string;
  readonly password: string;
}

function verify(_socket: unknown, { username, password }: Credentials) {
  if (username === "eve") throw new AuthError("Locked", { code: "locked" });
  // What nobody should do: a code with as many values as there are users.
  if (username === "mallory") throw new AuthError("Locked", { code: `locked_${username}` });
  return password === RIGHT && { name: username };
}

interface Scene {
  readonly world: World;
  /** Every text that must not be a label: ids, names, addresses, passwords. */
  readonly unbounded: string[];
}

type Observe = (event: AuthEvent) => unknown;

/**
 * Of six clients one signs in, and stays. The others are refused, one of them before the verifier
 * is asked; the last one leaves while it is.
 */
async function play(
  place: Place,
  makeObserve: (source: { stats(): Stats }) => Observe,
): Promise<Scene> {
  const unbounded = new Set([RIGHT, WRONG, ADDRESS, "ada", "mallory"]);
  const observe = makeObserve({ stats: () => world.auth.stats() });
  const options = {
    verify(socket: unknown, credentials: Credentials) {
      if (credentials.username !== "hasty") return verify(socket, credentials);
      world.log.push("asked");
      return new Promise<never>(() => {});
    },
    maxCredentials: 1000,
    disconnect: () => world.log.push("gone"),
    userId: (user: { name: string }) => user.name,
    address: () => ADDRESS,
    observe(event: AuthEvent) {
      unbounded.add(event.socketId);
      observe(event);
    },
  };
  const world: World = await openWorld(place, options);
  await (await world.connect()).signIn({ username: "ada", password: RIGHT });
  for (const username of ["ada", "eve", "mallory", "x".repeat(2000)]) {
    const client = await world.connect();
    client.emit("authentication", { username, password: WRONG });
    await client.next("unauthorized");
  }
  for (let i = 0; i < 4; i++) await world.log.next("gone");
  const hasty = await world.connect();
  hasty.emit("authentication", { username: "hasty", password: WRONG });
  await world.log.next("asked");
  hasty.socket.disconnect();
  await world.log.next("gone");
  assertEquals(world.errors, []);
  assertEquals(unbounded.size, 5 + 6, "each client has an id");
  return { world, unbounded: [...unbounded] };
}

/** A metric's values by its labels, in an order of their own. */
function byLabels(points: readonly { labels: object; value: unknown }[]): Record<string, unknown> {
  const entries = points.map(({ labels, value }) => [Object.values(labels).join(" "), value]);
  return Object.fromEntries(entries.sort());
}

const COUNTED = {
  "attempt": 1,
  "attempt abandoned": 1,
  "attempt authentication_failed": 1,
  "attempt invalid_credentials": 1,
  "attempt locked": 1,
  "attempt other": 1,
  "authenticated": 1,
  "disconnected": 5,
  "pending": 6,
  "unauthorized authentication_failed": 1,
  "unauthorized invalid_credentials": 1,
  "unauthorized locked": 1,
  "unauthorized other": 1,
};

/** No label has a value of which there may be any number. */
function assertBounded(metrics: string, { unbounded }: Scene): void {
  assertEquals(unbounded.filter((text) => metrics.includes(text)), []);
}

/** Collects when it is told to, not when it is time. */
class Reader extends MetricReader {
  protected override onShutdown(): Promise<void> {
    return Promise.resolve();
  }

  protected override onForceFlush(): Promise<void> {
    return Promise.resolve();
  }
}

describe("observability", () => {
  disposeAfterEach();

  for (const place of engineOnly) {
    it(`pino logs who came, and warns of who was refused (${place.name})`, async () => {
      const lines: string[] = [];
      const logger = pino({ level: "debug" }, { write: (line) => void lines.push(line) });
      await play(place, () => logAuthEvents(logger));

      const logged = lines.map((line) => JSON.parse(line) as { level: number; auth: AuthEvent });
      const told = logged.map(({ level, auth }) => {
        const code = "code" in auth ? [auth.code] : [];
        const userId = "userId" in auth ? [auth.userId] : [];
        return [logger.levels.labels[level], auth.type, ...code, ...userId].join(" ");
      });
      assertEquals(told.slice(0, 6), [
        "debug pending",
        "debug attempt ada",
        "info authenticated ada",
        "debug pending",
        "warn attempt authentication_failed",
        "warn unauthorized authentication_failed",
      ]);
      assertEquals(told.filter((line) => line === "debug disconnected").length, 5);
      assert(logged.every(({ auth }) => auth.socketId && auth.address === ADDRESS));
      assertEquals(lines.filter((line) => line.includes(RIGHT) || line.includes(WRONG)), []);
    });

    it(`pino logs refusals only, if told so (${place.name})`, async () => {
      const lines: string[] = [];
      const logger = pino({ level: "warn" }, { write: (line) => void lines.push(line) });
      await play(place, () => logAuthEvents(logger));
      assertEquals(lines.map((line) => JSON.parse(line).msg), [
        "auth: attempt",
        "auth: unauthorized",
        "auth: attempt",
        "auth: unauthorized",
        "auth: attempt",
        "auth: unauthorized",
        "auth: attempt",
        "auth: unauthorized",
        // Who has left is told nothing.
        "auth: attempt",
      ]);
    });

    it(`OpenTelemetry counts, and knows how many are there (${place.name})`, async () => {
      const reader = new Reader();
      const provider = new MeterProvider({ readers: [reader] });
      const meter = provider.getMeter("test");
      const scene = await play(place, (source) => meterAuthEvents(meter, source, ["locked"]));

      const { resourceMetrics, errors } = await reader.collect();
      assertEquals(errors, []);
      const { metrics } = resourceMetrics.scopeMetrics[0]!;
      const [events, attempt, verification, sockets] = metrics.map(({ descriptor, dataPoints }) => {
        const points = dataPoints.map(({ attributes: labels, value }) => ({ labels, value }));
        return { name: descriptor.name, values: byLabels(points) };
      });
      assertEquals(events, { name: "socketio_auth.events", values: COUNTED });
      assertEquals(sockets, {
        name: "socketio_auth.sockets",
        values: { authenticated: 1, pending: 0 },
      });
      const durations = [attempt!, verification!].map(({ name, values }) => {
        return [name, (values[""] as { count: number }).count];
      });
      assertEquals(durations, [
        ["socketio_auth.attempt.duration", 6],
        ["socketio_auth.verification.duration", 5],
      ]);
      assertBounded(JSON.stringify(metrics), scene);
      await provider.shutdown();
    });

    it(`Prometheus counts, and knows how many are there (${place.name})`, async () => {
      const registry = new Registry();
      const scene = await play(place, (source) => countAuthEvents(registry, source, ["locked"]));

      const metrics = await registry.getMetricsAsJSON();
      const named = (name: string) => metrics.find((metric) => metric.name === name)!;
      assertEquals(byLabels(named("socketio_auth_events_total").values), COUNTED);
      const sockets = { authenticated: 1, pending: 0 };
      assertEquals(byLabels(named("socketio_auth_sockets").values), sockets);
      const text = await registry.metrics();
      assert(text.includes("\nsocketio_auth_attempt_duration_seconds_count 6\n"));
      assert(text.includes("\nsocketio_auth_verification_duration_seconds_count 5\n"));
      assertBounded(text, scene);
    });
  }
});
