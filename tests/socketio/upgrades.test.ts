// Clients that have begun to upgrade when they are refused, and do not cooperate.
import { assert, describe, it } from "#testing";
import { disposeAfterEach } from "../kit/disposal.ts";
import { StubbornWebSocket } from "../kit/stubborn.ts";
import { engineOnly } from "../kit/targets.ts";
import { engineIsEmpty, openWorld, type World } from "../kit/world.ts";

/** What the server may take to drop a client: a second, and what a busy machine adds; not 30. */
const PATIENCE = 15_000;

/** A client that polls, by hand, and has connected the main namespace. */
class Polling {
  readonly url: string;

  private constructor(url: string) {
    this.url = url;
  }

  static async open({ url }: World): Promise<Polling> {
    const address = `${url}/socket.io/?EIO=4&transport=polling`;
    const opened = await (await fetch(address)).text();
    return new Polling(`${address}&sid=${JSON.parse(opened.slice(1)).sid}`);
  }

  static async connect(world: World): Promise<Polling> {
    const client = await Polling.open(world);
    await client.join();
    return client;
  }

  async join(): Promise<void> {
    await this.send("40");
    await (await fetch(this.url)).text();
  }

  async send(packet: string): Promise<void> {
    await (await fetch(this.url, { method: "POST", body: packet })).text();
  }

  probe(): Promise<StubbornWebSocket> {
    return StubbornWebSocket.open(this.url.replace("transport=polling", "transport=websocket"));
  }
}

describe("a refused client that polls is gone a second later", () => {
  disposeAfterEach();

  for (const place of engineOnly) {
    const ways: Record<string, (client: Polling) => Promise<StubbornWebSocket>> = {
      "with a WebSocket that says nothing": (client) => client.probe(),
      "with one that has begun to upgrade": async (client) => {
        const socket = await client.probe();
        socket.send("2probe");
        return socket;
      },
    };
    for (const [way, open] of Object.entries(ways)) {
      it(`${way} (${place.name})`, async () => {
        const world = await openWorld(place, { timeout: 60_000 });
        const client = await Polling.connect(world);
        const socket = await open(client);
        const begun = performance.now();
        await client.send('42["authentication",{"password":"wrong"}]');
        await socket.dropped;
        await engineIsEmpty(world.io);
        assert(performance.now() - begun < PATIENCE);
      });
    }

    it(`with one that it had before it asked for a namespace (${place.name})`, async () => {
      const world = await openWorld(place, { timeout: 60_000 });
      const client = await Polling.open(world);
      const socket = await client.probe();
      await client.join();
      const begun = performance.now();
      await client.send('42["authentication",{"password":"wrong"}]');
      await socket.dropped;
      assert(performance.now() - begun < PATIENCE);
    });

    it(`that upgrades while it is closed (${place.name})`, async () => {
      const world = await openWorld(place, { timeout: 60_000 });
      const client = await Polling.connect(world);
      const socket = await client.probe();
      socket.send("2probe");
      const begun = performance.now();
      await client.send('42["authentication",{"password":"wrong"}]');
      socket.send("5");
      await socket.dropped;
      await engineIsEmpty(world.io);
      assert(performance.now() - begun < PATIENCE);
    });
  }
});
