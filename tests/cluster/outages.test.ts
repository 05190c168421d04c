// Nodes that cannot hear each other for a while: cut off from their backend, paused, restarted.
import { assert, assertEquals, describe, it } from "#testing";
import { openRedis, randomPrefix } from "../kit/backends.ts";
import type { Client } from "../kit/client.ts";
import { disposeAfterEach } from "../kit/disposal.ts";
import { ServerNode } from "../kit/node.ts";
import { Proxy } from "../kit/proxy.ts";
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

/** How long a node is cut off, in ms: more than messages take, less than tests may. */
const OUTAGE = 1000;

/** Longer than a process may be busy without counting as paused, in ms. */
const PAUSE = 7000;

function pass(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/** Two nodes, the second of which reaches its backend through a proxy. */
async function start(adapter: string, backend: string, ...more: string[]) {
  const prefix = randomPrefix();
  const proxy = await Proxy.open(backend);
  const [first, second] = await Promise.all([backend, proxy.url].map((url) => {
    return ServerNode.start(adapter, url, prefix, ...more);
  })) as [ServerNode, ServerNode];
  const clients = await Promise.all([first, second].map((node) => enter(node))) as [Client, Client];
  for (const node of [first, second]) await whenHeard(node, clients);
  return { first, second, clients, proxy, prefix };
}

async function expectHeardLater(
  { first, second, clients: [a, b], cut, heal }: {
    readonly first: ServerNode;
    readonly second: ServerNode;
    readonly clients: [Client, Client];
    cut(): void;
    heal(): void;
  },
): Promise<void> {
  cut();
  const revoking = first.revoke(ADA);
  await expectRevoked(a);
  // Cut off, it goes on as before.
  await pass(OUTAGE);
  assertEquals(b.socket.connected, true);
  const late = await enter(second);
  heal();
  await expectRevoked(b);
  await revoking;
  // Whoever has signed in after the revocation is welcome, also after it is said once more.
  await pass(2 * OUTAGE);
  assertEquals(late.socket.connected, true);
}

describe("a node that was cut off hears of a revocation when it is back", () => {
  disposeAfterEach();

  for (const adapter of ["redis", "sharded redis", "redis streams"]) {
    withRedis(`from its Redis, with the ${adapter} adapter`, async () => {
      const { proxy, ...nodes } = await start(adapter, await openRedis());
      await expectHeardLater({ ...nodes, cut: () => proxy.cut(), heal: () => proxy.heal() });
    });
  }

  withPostgres("from its PostgreSQL", async () => {
    const { proxy, ...nodes } = await start("postgres", postgres!);
    await expectHeardLater({ ...nodes, cut: () => proxy.cut(), heal: () => proxy.heal() });
  });

  it("from its primary, with the cluster adapter", async () => {
    const [first, second] = await Promise.all([1, 2].map(() => {
      return ServerNode.start("cluster", "", randomPrefix());
    })) as [ServerNode, ServerNode];
    const link = relay([first.process, second.process]);
    const clients = await Promise.all([first, second].map((node) => enter(node)));
    for (const node of [first, second]) await whenHeard(node, clients);
    await expectHeardLater({
      first,
      second,
      clients: clients as [Client, Client],
      cut: () => link.isCut = true,
      heal: () => link.isCut = false,
    });
  });
});

describe("a node that was paused", () => {
  disposeAfterEach();

  for (const adapter of ["redis", "redis streams"]) {
    withRedis(
      `holds up no revocation, and hears it later (${adapter})`,
      async () => {
        const cluster = await Cluster.start(adapter, await openRedis());
        const [first, , paused] = cluster.nodes as [ServerNode, ServerNode, ServerNode];
        const [a, b, late] = await cluster.enter() as [Client, Client, Client];
        const slow = await beginSlowly(paused);
        await slow.socket.emitWithAck("authentication", {});
        paused.signal("SIGSTOP");
        const revoked = first.revoke(ADA);
        await Promise.all([a, b].map(expectRevoked));
        // Those that have answered in the adapter's own time.
        assertEquals(await revoked, 2);
        assertEquals(late.socket.connected, true);
        paused.signal("SIGCONT");
        await expectRevoked(late);
        await answerOnce(paused);
        await expectRevoked(slow);
        await enter(paused);
      },
    );
  }

  withRedis("recovers nothing that may have been revoked meanwhile", async () => {
    const { first, second, clients: [a, b], proxy } = await start(
      "redis streams",
      await openRedis(),
      "recovery",
    );
    // It has kept this one itself.
    await b.drop();
    while (await second.count() > 0);
    second.signal("SIGSTOP");
    // What is sent to it meanwhile is lost.
    proxy.cut();
    const revoking = first.revoke(ADA);
    await expectRevoked(a);
    await pass(PAUSE);
    proxy.heal();
    second.signal("SIGCONT");
    await comeBack(b, second);
    assertEquals(b.socket.recovered, false);
    // What it reads late ends what has begun until then.
    await whenHeard(first, [await enter(second, "grace")]);
    await b.signIn({ username: "ada", password: "right" });
    await revoking;
  });

  withRedis("recovers what it has kept, if it was not", async () => {
    const { second, clients: [, b] } = await start("redis streams", await openRedis(), "recovery");
    await b.drop();
    while (await second.count() > 0);
    await comeBack(b, second);
    assert(b.socket.recovered);
  });
});

describe("a rolling deploy", () => {
  disposeAfterEach();

  for (const adapter of ["redis", "redis streams"]) {
    withRedis(`carries a revocation over to every node, and no further (${adapter})`, async () => {
      const backend = await openRedis();
      const prefix = randomPrefix();
      const begin = () => ServerNode.start(adapter, backend, prefix, "recovery");
      const nodes = await Promise.all([begin(), begin(), begin()]);
      const old = await Promise.all(nodes.map((node) => enter(node)));
      for (const node of nodes) await whenHeard(node, old);
      const fresh: Client[] = [];
      for (const [i, node] of nodes.entries()) {
        await node.close();
        nodes[i] = await begin();
        if (i === 0) {
          // By a node that has only just started; those to be replaced hear of it all the same.
          void nodes[0]!.revoke(ADA);
          await Promise.all(old.slice(1).map(expectRevoked));
        }
        fresh.push(await enter(nodes[i]!));
      }
      await pass(3 * OUTAGE);
      assertEquals(fresh.map(({ socket }) => socket.connected), [true, true, true]);
      // The nodes that made it, and heard of it, are gone: so is what could be recovered.
      await comeBack(old[0]!, nodes[2]!);
      assertEquals(old[0]!.socket.recovered, false);
    });
  }
});
