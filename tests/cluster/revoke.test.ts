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
  whenHeard,
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

/** What it says travels with it, whom it spares, and the end that sessions have instead. */
async function expectOptions(cluster: Cluster): Promise<void> {
  const [first, second, third] = cluster.nodes as [ServerNode, ServerNode, ServerNode];
  const [a, b, c] = await cluster.enter() as [Client, Client, Client];
  const phone = await enter(third, "ada", "phone");
  const slow = await beginSlowly(second);
  await slow.socket.emitWithAck("authentication", {});

  const except = { sessionId: "phone" };
  assertEquals(await first.refresh(ADA, { within: 60_000, except }), 3);
  for (const client of [a, b, c]) {
    const [, { expiresIn }] = await client.next("authenticated") as [true, { expiresIn: number }];
    assert(expiresIn > 0 && expiresIn <= 60_000);
  }
  await answerOnce(second);
  const [, info] = await slow.next("authenticated") as [true, { expiresIn: number }];
  assert(info.expiresIn > 0 && info.expiresIn <= 60_000);

  const message = "Another plan";
  assertEquals(await second.revoke(ADA, { except, message, reconnect: true }), 4);
  for (const client of [a, b, c, slow]) {
    assertEquals(await client.next("unauthorized"), [
      { message, code: "revoked", reconnect: true },
    ]);
  }
  await first.io(["emit", "news"]);
  await phone.next("news");
  assertEquals(phone.received.filter((name) => name !== "probe"), ["authenticated", "news"]);
}

/** Waits until all clients are disconnected but one. */
function allButOneLeave(clients: readonly Client[]): Promise<void> {
  return new Promise((resolve) => {
    const look = () => {
      if (clients.filter(({ socket }) => socket.connected).length <= 1) resolve();
    };
    for (const { socket } of clients) socket.once("disconnect", look);
    look();
  });
}

/** One user signs in at the same time everywhere: one session stays, and then the last one. */
async function expectOneSession(cluster: Cluster): Promise<void> {
  const witnesses = await Promise.all(cluster.nodes.map((node) => enter(node, "grace")));
  for (const node of cluster.nodes) await whenHeard(node, witnesses);
  // Each has said hello, and those whose clock is behind know it by now.
  const [first, , third] = cluster.nodes as [ServerNode, ServerNode, ServerNode];
  for (const node of [first, third]) while (Number(await node.tell("lead")) < 99_000);
  for (const way of ["the other way round", "at once", "one after the other"]) {
    const nodes = way === "the other way round" ? cluster.nodes.toReversed() : cluster.nodes;
    const clients: Client[] = [];
    if (way === "at once") clients.push(...await Promise.all(nodes.map((node) => enter(node))));
    else {
      for (const node of nodes) {
        clients.push(await enter(node));
        // The next one is later by the clock of the cluster, however long messages take.
        await whenHeard(node, witnesses);
      }
    }
    const left = () => clients.filter(({ socket }) => socket.connected);
    await allButOneLeave(clients);
    // Each has been told of the others by now; the one that is left was told of nothing.
    for (const node of cluster.nodes) await whenHeard(node, [...witnesses, ...left()]);
    assertEquals(left().length, 1);
    if (way !== "at once") assert(left()[0] === clients.at(-1), way);
    for (const client of clients) if (client !== left()[0]) await expectRevoked(client);
    left()[0]!.socket.disconnect();
  }
}

const checks: Record<string, [check: (cluster: Cluster) => Promise<void>, mode: string]> = {
  "ends a user's sessions on every node, and does there what its options say": [
    // In one cluster, because processes take long to start.
    async (cluster) => {
      await expectEverywhere(cluster);
      await expectOptions(cluster);
    },
    "",
  ],
  "leaves a user one session, though clocks are 100 s apart": [expectOneSession, "one session"],
};
const SKEWS = [0, 100_000, -100_000];

describe("a revocation in a cluster of three", () => {
  disposeAfterEach();

  for (const [what, [check, mode]] of Object.entries(checks)) {
    const skews = mode ? SKEWS : [0, 0, 0];
    for (const adapter of ["redis", "sharded redis", "redis streams"]) {
      withRedis(`${what}, with the ${adapter} adapter`, async () => {
        await check(await Cluster.start(adapter, await openRedis(), mode, skews));
      });
    }

    withPostgres(`${what}, with the PostgreSQL adapter`, async () => {
      await check(await Cluster.start("postgres", postgres!, mode, skews));
    });

    it(`${what}, with the cluster adapter`, async () => {
      const cluster = await Cluster.start("cluster", "", mode, skews);
      relay(cluster.nodes.map(({ process }) => process));
      await check(cluster);
    });
  }

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
