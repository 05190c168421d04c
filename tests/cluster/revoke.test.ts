import { assert, assertEquals, describe, it } from "#testing";
import { findPostgres, openRedis, randomPrefix, redisIsThere } from "../kit/backends.ts";
import { type Client, connectClient } from "../kit/client.ts";
import { disposeAfterEach } from "../kit/disposal.ts";
import { ServerNode } from "../kit/node.ts";
import { engineOnly } from "../kit/targets.ts";
import { ADA, comeBack, enter, expectRevoked, whenHeard } from "./clients.ts";
import { relay } from "./relay.ts";

const postgres = await findPostgres();
const withRedis = redisIsThere() ? it : it.skip;
const withPostgres = postgres ? it : it.skip;

class Cluster {
  readonly nodes: ServerNode[];
  readonly #args: string[];

  private constructor(args: string[], nodes: ServerNode[]) {
    this.#args = args;
    this.nodes = nodes;
  }

  static async start(...args: string[]): Promise<Cluster> {
    args.splice(2, 0, randomPrefix());
    const nodes = await Promise.all([1, 2, 3].map(() => ServerNode.start(...args)));
    return new Cluster(args, nodes);
  }

  /** One more, in the place of one that is gone. */
  join(): Promise<ServerNode> {
    return ServerNode.start(...this.#args);
  }

  /** A client of each node, signed in as ada; nodes know of each other by then. */
  async enter(): Promise<Client[]> {
    const clients = await Promise.all(this.nodes.map((node) => enter(node)));
    for (const node of this.nodes) await whenHeard(node, clients);
    return clients;
  }
}

/** Signs in slowly: the verifier does not answer before the test says so. */
async function beginSlowly(node: ServerNode): Promise<Client> {
  const client = await connectClient(engineOnly[0]!, node.url);
  client.emit("authentication", { username: "ada", password: "right", isSlow: true });
  return client;
}

async function answerOnce(node: ServerNode): Promise<void> {
  while (await node.answer() === 0);
}

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

  for (const adapter of ["redis", "redis streams"]) {
    withRedis(
      `does not wait for a node that is paused, which hears it later (${adapter})`,
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
