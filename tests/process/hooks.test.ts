import { assertEquals, describe, it } from "#testing";
import { type Client, connectClient, openClient } from "../kit/client.ts";
import { disposeAfterEach } from "../kit/disposal.ts";
import { ServerNode } from "../kit/node.ts";
import { engineOnly, type Place } from "../kit/targets.ts";
import { misbehaviors } from "./misbehavior.ts";

const RIGHT = { username: "ada", password: "right" };

/** Signs in where something goes wrong; resolves when it has. */
async function suffer(place: Place, node: ServerNode, path: string): Promise<Client> {
  const client = openClient(place, node.url, { path });
  await client.next("connect");
  const outcome = client.socket.emitWithAck("authentication", RIGHT).catch(() => {});
  await Promise.race([outcome, client.next("disconnect")]);
  await node.tell("emit", path, "news");
  return client;
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
    it(`goes on, and nobody gets through (${place.name})`, async () => {
      const node = await ServerNode.run("process", place.engine);
      const witness = await connectClient(place, node.url);
      const names = Object.keys(misbehaviors);
      const clients = await Promise.all(names.map((_, i) => suffer(place, node, `/${i}`)));
      assertEquals(await node.tell("troubles"), []);

      const member = await signIn(place, node.url);
      await node.tell("emit", "/", "news");
      await member.next("news");
      assertEquals(witness.received, []);
      for (const [i, client] of clients.entries()) {
        const { received } = client;
        const isWrong = received.includes("news") && !received.includes("authenticated");
        assertEquals(isWrong, false, `${names[i]}: ${received}`);
        client.socket.disconnect();
      }
      assertEquals(await node.tell("troubles"), []);
      await signIn(place, node.url);
    });
  }
});
