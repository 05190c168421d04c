import { spawnSync } from "node:child_process";
import { env } from "node:process";
import { onDispose } from "./disposal.ts";
import { startRedis } from "./redis.ts";

/** Whether tests can have a Redis: `REDIS_URL`, or servers of their own. If not, says so. */
export function redisIsThere(): boolean {
  if (env.REDIS_URL || spawnSync("redis-server", ["--version"]).status === 0) return true;
  console.log("SKIPPED Redis: neither REDIS_URL nor a redis-server");
  return false;
}

/** Where there is a Redis for the test that is running. */
export async function openRedis(): Promise<string> {
  if (env.REDIS_URL) return env.REDIS_URL;
  const redis = await startRedis();
  onDispose(() => redis[Symbol.asyncDispose]());
  return redis.url;
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
