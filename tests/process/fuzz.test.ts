import { assert, assertEquals, describe, it } from "#testing";
import { type Client, connectClient } from "../kit/client.ts";
import { disposeAfterEach } from "../kit/disposal.ts";
import { ServerNode } from "../kit/node.ts";
import { seed, times } from "../kit/random.ts";
import { PollingClient, RawClient } from "../kit/raw.ts";
import { engineOnly, type Place } from "../kit/targets.ts";
import { type Visit, visits } from "./frames.ts";

const SEED = seed ?? 20_260_823;
const VISITS = 600 * times;
const AT_ONCE = 40;

interface Size {
  readonly sockets: number;
  readonly heap: number;
}

async function visitByWebSocket(url: string, { hello, frames }: Visit): Promise<void> {
  const client = await RawClient.open(url);
  client.send(hello);
  for (const frame of frames) client.send(frame);
  client.close();
  await client.packets.next("close");
}

/** Bodies of several packets are what long-polling adds to it. */
async function visitByPolling(url: string, { hello, frames }: Visit): Promise<void> {
  const client = await PollingClient.open(url);
  const texts = frames.filter((frame) => typeof frame === "string");
  await client.send([hello, ...texts].join("\x1e")).catch(() => {});
  await client.send("1").catch(() => {});
}

async function expectSound(place: Place, node: ServerNode, witness: Client): Promise<void> {
  assertEquals(await node.tell("troubles"), []);
  const member = await connectClient(place, node.url);
  await member.signIn();
  await node.tell("emit", "/", "news");
  await member.next("news");
  assertEquals(witness.received, []);
  member.socket.disconnect();
}

describe("a server that is sent anything", () => {
  disposeAfterEach();

  for (const place of engineOnly) {
    it(`goes on, and tells nobody anything (${place.name}, RANDOM_SEED=${SEED})`, async () => {
      const node = await ServerNode.run("process", place.engine);
      const witness = await connectClient(place, node.url);
      const heaps: number[] = [];
      const all = visits(SEED, VISITS);
      for (let i = 0; i < all.length; i += AT_ONCE) {
        await Promise.all(
          all.slice(i, i + AT_ONCE).map((visit, n) =>
            n % 4 === 3 ? visitByPolling(node.url, visit) : visitByWebSocket(node.url, visit)
          ),
        );
        await expectSound(place, node, witness);
        heaps.push((await node.tell("size") as Size).heap);
      }
      // The first rounds warm things up; later ones leave nothing behind.
      const [early, late] = [Math.max(...heaps.slice(0, 4)), heaps.at(-1)!];
      assert(late < early * 2 + 32e6, `The heap has grown: ${heaps}`);
      // Only the witness is left, once the last ones' transports have been closed.
      while ((await node.tell("size") as Size).sockets > 1);
    });
  }
});
