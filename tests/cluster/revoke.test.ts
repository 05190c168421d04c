import { assert, assertEquals, describe, it } from "#testing";
import { openRedis } from "../kit/backends.ts";
import type { Client } from "../kit/client.ts";
import { disposeAfterEach } from "../kit/disposal.ts";
import type { ServerNode } from "../kit/node.ts";
import { postgres, withPostgres, withRedis } from "./backends.ts";
import {
  ADA,
  answerOnce,
  beginSlowly,
  Cluster,
  comeBack,
  enter,
  expectRevoked,
} from "./clients.ts";
import { relay } from "./relay.ts";

async function expectEverywhere(cluster: Cluster): Promise<void> {
  const [first, second, third] = cluster.nodes as [ServerNode, ServerNode, ServerNode];
  const clients = await cluster.enter();
  const stranger = await enter(second, "grace");
  const slow = await beginSlowly(third);
  // It has been sent over the same connection as what comes back here.
  await slow.socket.emitWithAck("authentication", {});
  assertEquals(await first.revoke(ADA), 3);
  await Promise.all(clients.map(expectRevoked));
  await answerOnce(third);
  await expectRevoked(slow);
  for (const node of cluster.nodes) await enter(node);
  await first.io(["emit", "news"]);
  await stranger.next("news");
  // Heard only by those who have signed in since.
  assertEquals(clients.map(({ received }) => received.includes("news")), [false, false, false]);
  assertEquals(await second.revoke(ADA), 3);
}

describe("a revocation in a cluster of three", () => {
  disposeAfterEach();

  for (const adapter of ["redis", "sharded redis", "redis streams"]) {
    withRedis(`ends a user's sessions on every node, with the ${adapter} adapter`, async () => {
      await expectEverywhere(await Cluster.start(adapter, await openRedis()));
    });
  }

  withPostgres("ends a user's sessions on every node, with the PostgreSQL adapter", async () => {
    await expectEverywhere(await Cluster.start("postgres", postgres!));
  });

  it("ends a user's sessions on every node, with the cluster adapter", async () => {
    const cluster = await Cluster.start("cluster", "");
    relay(cluster.nodes.map(({ process }) => process));
    await expectEverywhere(cluster);
  });

  withRedis("while a node restarts leaves nothing to recover there", async () => {
    const cluster = await Cluster.start("redis streams", await openRedis(), "recovery");
    const [first, second, third] = cluster.nodes as [ServerNode, ServerNode, ServerNode];
    const [a, b, c] = await cluster.enter() as [Client, Client, Client];
    // What a node has kept itself is recovered, after another sign-in.
    await b.drop();
    while (await second.count() > 0);
    await first.io(["emit", "missed"]);
    await comeBack(b, second);
    await b.signIn({ username: "ada", password: "right" });
    await b.next("missed");
    assert(b.socket.recovered);

    await third.close();
    await c.next("disconnect");
    assertEquals(await first.revoke(ADA), 2);
    await Promise.all([a, b].map(expectRevoked));
    const restarted = await cluster.join();
    await comeBack(c, restarted);
    const witness = await enter(restarted, "grace");
    await restarted.io(["emit", "secret"]);
    await witness.next("secret");
    await c.signIn({ username: "ada", password: "right" });
    await restarted.io(["emit", "public"]);
    await c.next("public");
    const names = c.received.filter((name) => name !== "probe");
    assertEquals(names, ["authenticated", "missed", "authenticated", "public"]);
    await second.io(["emit", "public"]);
  });
});
