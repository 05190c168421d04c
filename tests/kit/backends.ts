import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { type AddressInfo, createServer } from "node:net";
import { env } from "node:process";
import { onDispose } from "./disposal.ts";

/** Whether tests can have a Redis: `REDIS_URL`, or servers of their own. If not, says so. */
export function redisIsThere(): boolean {
  if (env.REDIS_URL || spawnSync("redis-server", ["--version"]).status === 0) return true;
  console.log("SKIPPED Redis: neither REDIS_URL nor a redis-server");
  return false;
}

/** Where there is a Redis for the test that is running. */
export async function openRedis(): Promise<string> {
  if (env.REDIS_URL) return env.REDIS_URL;
  const port = await freePort();
  const args = ["--port", `${port}`, "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"];
  const server = spawn("redis-server", args, { stdio: ["ignore", "pipe", "ignore"] });
  const exited = once(server, "exit");
  onDispose(async () => {
    server.kill("SIGKILL");
    await exited;
  });
  await new Promise<void>((resolve) => {
    let log = "";
    server.stdout.on("data", (chunk) => {
      log += chunk;
      if (log.includes("Ready to accept connections")) resolve();
    });
  });
  return `redis://127.0.0.1:${port}`;
}

/** Where a PostgreSQL is: `POSTGRES_URL`, or one at the standard port that trusts us. */
export async function findPostgres(): Promise<string | undefined> {
  const url = env.POSTGRES_URL ?? "postgres://postgres@127.0.0.1:5432/postgres";
  const { default: { Client } } = await import("pg");
  const client = new Client({ connectionString: url });
  try {
    await client.connect();
    await client.end();
    return url;
  } catch (error) {
    console.log(`SKIPPED PostgreSQL: no POSTGRES_URL, and none at the standard port (${error})`);
    return undefined;
  }
}

/** Keeps what tests leave in one backend apart. */
export function randomPrefix(): string {
  return `test_${crypto.randomUUID().replaceAll("-", "")}`;
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return port;
}
