import { createAdapter } from "@socket.io/redis-streams-adapter";
import type { Server } from "socket.io";
import { describeRecovery } from "../socketio/recovery_suite.ts";
import { openRedis, randomPrefix, redisIsThere } from "../kit/backends.ts";
import { onDispose } from "../kit/disposal.ts";
import { connectRedis } from "./adapters.ts";

if (redisIsThere()) describeRecovery("Redis streams", useStreams);

async function useStreams(io: Server): Promise<void> {
  const client = await connectRedis(await openRedis());
  onDispose(() => client.close());
  const prefix = randomPrefix();
  const options = { streamName: prefix, channelPrefix: prefix, blockTimeInMs: 200 };
  io.adapter(createAdapter(client, options) as never);
}
