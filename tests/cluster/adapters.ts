/** How to make each of Socket.IO's adapters for several nodes. Each loads only what it needs. */

/** By name: takes where the backend is, and a prefix for everything in there. */
export const adapters: Record<string, (backend: string, prefix: string) => unknown> = {
  async redis(url, key) {
    const { createAdapter } = await import("@socket.io/redis-adapter");
    return createAdapter(await connectRedis(url), await connectRedis(url), { key });
  },
  async "sharded redis"(url, channelPrefix) {
    const { createShardedAdapter } = await import("@socket.io/redis-adapter");
    const subscriber = await connectRedis(url);
    return createShardedAdapter(await connectRedis(url), subscriber, { channelPrefix });
  },
  async "redis streams"(url, prefix) {
    const { createAdapter } = await import("@socket.io/redis-streams-adapter");
    return createAdapter(await connectRedis(url), {
      streamName: prefix,
      channelPrefix: prefix,
      sessionKeyPrefix: `${prefix}:session:`,
      blockTimeInMs: 200,
    });
  },
  async postgres(connectionString, prefix) {
    const { createAdapter } = await import("@socket.io/postgres-adapter");
    const { default: pg } = await import("pg");
    // One connection listens. A single other one sends, or messages could overtake each other.
    const pool = new pg.Pool({ connectionString, max: 2 });
    // A connection that is lost would take the process along: the adapter listens to none.
    pool.on("error", () => {});
    pool.on("connect", (client) => void client.on("error", () => {}));
    // Its table is for messages of more than 8000 bytes only.
    return createAdapter(pool, { channelPrefix: prefix });
  },
  async cluster() {
    const { createAdapter } = await import("@socket.io/cluster-adapter");
    return createAdapter();
  },
};

type Redis = import("redis").RedisClientType;

export async function connectRedis(url: string): Promise<Redis> {
  const { createClient } = await import("redis");
  const client: Redis = createClient({ url });
  // Tests end their own Redis while adapters still listen to it.
  client.on("error", () => {});
  return await client.connect();
}
