import { assertEquals, describe, it } from "#testing";
import { openRedis, redisIsThere } from "../kit/backends.ts";
import type { Client } from "../kit/client.ts";
import { disposeAfterEach } from "../kit/disposal.ts";
import { ask, codeOf, connect } from "./kit.ts";
import { type Started, startProcess } from "./process.ts";

const withRedis = redisIsThere() ? it : it.skip;

/** Two nodes over one Redis. */
async function startNodes(others?: Record<string, string>): Promise<[Started, Started]> {
  const variables = { REDIS_URL: await openRedis(), ...others };
  const start = () => startProcess("presence", variables);
  return await Promise.all([start(), start()]);
}

async function signIn({ url }: Started, name: string): Promise<Client> {
  const client = await connect(url, { auth: { token: `token of ${name}` } });
  await client.next("authenticated");
  return client;
}

const who = async (client: Client) => (await ask(client, "who") as string[]).sort();

/** Waits until it is told of a user. On a slow machine, nodes may lose sight of others, too. */
async function toldOf(client: Client, event: "online" | "offline", user: string): Promise<void> {
  while ((await client.next(event))[0] !== user);
}

describe("the recipe of presence", () => {
  disposeAfterEach();

  withRedis("tells who comes and who goes, on all nodes, once for each user", async () => {
    const [one, other] = await startNodes();
    const pending = await connect(other.url);
    const grace = await signIn(other, "grace");
    assertEquals(await grace.next("online"), ["grace"]);
    const first = await signIn(one, "ada");
    assertEquals(await grace.next("online"), ["ada"]);
    const second = await signIn(other, "ada");
    assertEquals(await who(second), ["ada", "grace"]);

    first.socket.disconnect();
    assertEquals(await who(grace), ["ada", "grace"]);
    second.socket.disconnect();
    assertEquals(await grace.next("offline"), ["ada"]);
    assertEquals(await who(grace), ["grace"]);
    assertEquals(grace.events.names.filter((name) => name === "online").length, 2);

    pending.emit("authentication", { token: "guess" });
    assertEquals(await codeOf(pending), "authentication_failed");
    assertEquals(pending.events.names.includes("online"), false);
  });

  withRedis("tells that the users of a node are gone that has crashed", async () => {
    const [one, other] = await startNodes({ BEAT: "100" });
    const grace = await signIn(other, "grace");
    await signIn(one, "ada");
    await toldOf(grace, "online", "ada");
    await one.kill();
    await toldOf(grace, "offline", "ada");
  });
});
