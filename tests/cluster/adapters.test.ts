import { describe, it } from "#testing";
import { findPostgres, openRedis, randomPrefix, redisIsThere } from "../kit/backends.ts";
import { disposeAfterEach } from "../kit/disposal.ts";
import { ServerNode } from "../kit/node.ts";
import { relay } from "./relay.ts";
import { expectAirtight } from "./suite.ts";

const NODES = 2;

const postgres = await findPostgres();
const withRedis = redisIsThere() ? it : it.skip;
const withPostgres = postgres ? it : it.skip;

async function startNodes(adapter: string, backend: string): Promise<ServerNode[]> {
  const prefix = randomPrefix();
  const start = () => ServerNode.start(adapter, backend, prefix);
  return await Promise.all(Array.from({ length: NODES }, start));
}

describe("broadcasts in a cluster reach authenticated clients only", () => {
  disposeAfterEach();

  for (const adapter of ["redis", "sharded redis", "redis streams"]) {
    withRedis(`with the ${adapter} adapter`, async () => {
      await expectAirtight(await startNodes(adapter, await openRedis()));
    });
  }

  withPostgres("with the PostgreSQL adapter", async () => {
    await expectAirtight(await startNodes("postgres", postgres!));
  });

  it("with the cluster adapter", async () => {
    const nodes = await startNodes("cluster", "");
    relay(nodes.map(({ process }) => process));
    await expectAirtight(nodes);
  });
});
