import { describe, it } from "#testing";
import { openRedis, randomPrefix } from "../kit/backends.ts";
import { disposeAfterEach } from "../kit/disposal.ts";
import { ServerNode } from "../kit/node.ts";
import { postgres, withPostgres, withRedis } from "./backends.ts";
import { relay } from "./relay.ts";
import { expectAirtight } from "./suite.ts";

const NODES = 2;

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
