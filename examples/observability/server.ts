/**
 * Starts the example: a server that logs and counts what happens to its clients, and some clients
 * to whom something happens. `npm run example:observability`
 */
import { createServer } from "node:http";
import { MeterProvider, MetricReader } from "@opentelemetry/sdk-metrics";
import { pino } from "pino";
import { register } from "prom-client";
import { Server } from "socket.io";
import { type Auth, socketioAuth } from "@socketio-auth/socketio-auth";
import { type Account, Accounts } from "../chat/accounts.ts";
import { listen } from "../kit/listen.ts";
import { meterAuthEvents } from "./opentelemetry.ts";
import { logAuthEvents } from "./pino.ts";
import { countAuthEvents } from "./prometheus.ts";
import { sendVisitors } from "./visitors.ts";

/** Collects when it is asked. An application has an exporter in its place. */
class Reader extends MetricReader {
  protected override onShutdown(): Promise<void> {
    return Promise.resolve();
  }

  protected override onForceFlush(): Promise<void> {
    return Promise.resolve();
  }
}

const reader = new Reader();
const meter = new MeterProvider({ readers: [reader] }).getMeter("socketio-auth");
const source = { stats: () => auth.stats() };
const observers = [
  logAuthEvents(pino({ base: null })),
  countAuthEvents(register, source),
  meterAuthEvents(meter, source),
];

const accounts = await Accounts.create({ ada: "lovelace" });
const http = createServer(async (request, response) => {
  if (request.url === "/metrics") {
    response.setHeader("content-type", register.contentType).end(await register.metrics());
  } else if (request.url === "/opentelemetry") {
    const { resourceMetrics } = await reader.collect();
    response.setHeader("content-type", "application/json");
    response.end(JSON.stringify(resourceMetrics.scopeMetrics, null, 2));
  } else {
    response.writeHead(404).end("See /metrics and /opentelemetry\n");
  }
});
const io = new Server(http);
const auth: Auth<Account> = socketioAuth(io, {
  async verify(_socket, credentials) {
    const { username, password } = Object(credentials);
    return await accounts.verify(username, password);
  },
  userId: (account) => account.name,
  timeout: 5_000,
  observe: (event) => observers.forEach((observe) => observe(event)),
});

const url = await listen(http, "A server that is observed");
console.log(`
Every two seconds a visitor comes: one signs in and leaves, one guesses, one says nothing.
- Below, pino logs who comes and goes, and warns of refusals. Look at auth.code.
- ${url}/metrics is what Prometheus would collect. Look at socketio_auth_events_total.
- ${url}/opentelemetry is what OpenTelemetry would export.
`);
sendVisitors(url);
