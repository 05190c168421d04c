/** How to make each of Socket.IO's adapters for several nodes. */
import { createAdapter as createClusterAdapter } from "@socket.io/cluster-adapter";
import { createAdapter as createPostgresAdapter } from "@socket.io/postgres-adapter";
import {
  createAdapter as createRedisAdapter,
  createShardedAdapter,
} from "@socket.io/redis-adapter";
import { createAdapter as createStreamsAdapter } from "@socket.io/redis-streams-adapter";
import pg from "pg";
import { createClient } from "redis";

/** By name: takes where the backend is, and a prefix for everything in there. */
export const adapters: Record<string, (backend: string, prefix: string) => unknown> = {
  async redis(url, key) {
    return createRedisAdapter(await connectRedis(url), await connectRedis(url), { key });
  },
  async "sharded redis"(url, channelPrefix) {
    const subscriber = await connectRedis(url);
    return createShardedAdapter(await connectRedis(url), subscriber, { channelPrefix });
  },
  async "redis streams"(url, prefix) {
    return createStreamsAdapter(await connectRedis(url), {
      streamName: prefix,
      channelPrefix: prefix,
      sessionKeyPrefix: `${prefix}:session:`,
      blockTimeInMs: 200,
    });
  },
  postgres(connectionString, prefix) {
    const pool = new pg.Pool({ connectionString, max: 4 });
    // A connection that is lost would take the process along: the adapter listens to none.
    pool.on("error", () => {});
    pool.on("connect", (client) => void client.on("error", () => {}));
    // Its table is for messages of more than 8000 bytes only.
    return createPostgresAdapter(pool, { channelPrefix: prefix });
  },
  cluster: () => createClusterAdapter(),
};

export async function connectRedis(url: string): Promise<ReturnType<typeof createClient>> {
  const client = createClient({ url });
  // Tests end their own Redis while adapters still listen to it.
  client.on("error", () => {});
  return await client.connect() as ReturnType<typeof createClient>;
}
