import { assert, assertEquals, describe, it } from "#testing";
import { type Client, connectClient, openClient } from "../kit/client.ts";
import { disposeAfterEach } from "../kit/disposal.ts";
import { ServerNode } from "../kit/node.ts";
import { engineOnly, type Place } from "../kit/targets.ts";
import { misbehaviors } from "./misbehavior.ts";

const RIGHT = { username: "ada", password: "right" };

/** How many clients come at a time: no deadline is to pass for want of a processor. */
const AT_ONCE = 40;

/** Policies whose verifier disconnects the client itself: it is told no reason by us. */
const LEAVES = /^(verify disconnects and accepts|authenticate answers after the end)$/;

/** Signs in where something goes wrong; resolves when the client has been told, or closed. */
async function suffer(place: Place, node: ServerNode, path: string): Promise<Client> {
  const client = openClient(place, node.url, { path });
  await client.next("connect");
  const gone = client.next("disconnect");
  const outcome = client.socket.emitWithAck("authentication", RIGHT).catch(() => {});
  await Promise.race([outcome, gone]);
  await node.tell("emit", path, "news");
  if (!client.received.includes("authenticated")) {
    await Promise.race([client.next("unauthorized"), gone]);
  }
  return client;
}

async function sufferAll(place: Place, node: ServerNode, names: string[]): Promise<void> {
  for (let start = 0; start < names.length; start += AT_ONCE) {
    const chunk = names.slice(start, start + AT_ONCE);
    const clients = await Promise.all(chunk.map((_, i) => suffer(place, node, `/${start + i}`)));
    for (const [i, { received, socket }] of clients.entries()) {
      const what = `${chunk[i]}: ${received}`;
      const isIn = received.includes("authenticated");
      assert(isIn || !received.includes("news"), what);
      assert(isIn || received.includes("unauthorized") || LEAVES.test(chunk[i]!), what);
      socket.disconnect();
    }
    assertEquals(await node.tell("troubles"), []);
  }
}

async function signIn(place: Place, url: string): Promise<Client> {
  const client = await connectClient(place, url);
  await client.signIn(RIGHT);
  return client;
}

describe("a server whose hooks misbehave", () => {
  disposeAfterEach();

  // An exception in a callback of the application's own, which it has given to
  // the runtime itself, is in nobody's reach: those are not among them.
  for (const place of engineOnly) {
    it(`goes on, tells everybody, and nobody gets through (${place.name})`, async () => {
      const node = await ServerNode.run("process", place.engine);
      const witness = await connectClient(place, node.url);
      await sufferAll(place, node, Object.keys(misbehaviors));

      const member = await signIn(place, node.url);
      await node.tell("emit", "/", "news");
      await member.next("news");
      assertEquals(witness.received, []);
      assertEquals(await node.tell("troubles"), []);
      await signIn(place, node.url);
    });
  }
});
