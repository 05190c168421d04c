import { assert, assertEquals, describe, it } from "#testing";
import { io } from "socket.io-client";
import { Client } from "../kit/client.ts";
import { disposeAfterEach } from "../kit/disposal.ts";
import { type Host, startHost } from "./chat.ts";

const ADA = { username: "ada", password: "lovelace" };

const open = ({ url }: Host) => new Client(io(url, { forceNew: true }));

/** Signs in, or refreshes, and returns the token that comes of it. */
async function tokenOf(client: Client, credentials: object): Promise<string> {
  const outcome = await client.socket.emitWithAck("authentication", credentials);
  return outcome.reply.token;
}

/** What the server says of a token. */
async function codeOf(host: Host, token: string): Promise<string> {
  const outcome = await open(host).socket.emitWithAck("authentication", { token });
  return outcome.ok ? "ok" : outcome.code;
}

describe("a token of the demo", () => {
  disposeAfterEach();

  it("keeps its user signed in, and is good elsewhere until then", async () => {
    const host = await startHost();
    const client = open(host);
    const token = await tokenOf(client, ADA);
    assertEquals(await tokenOf(client, { token }), token);
    assertEquals(await codeOf(host, token), "ok");
  });

  it("is good for nothing after the sign-out, also if a refresh has issued it", async () => {
    const host = await startHost();
    const client = open(host);
    const first = await tokenOf(client, ADA);
    const second = await tokenOf(client, ADA);
    assert(first !== second);
    assertEquals(await codeOf(host, first), "token_unknown");
    assertEquals(await codeOf(host, second), "ok");
    client.emit("sign out");
    await client.next("unauthorized");
    for (const token of [first, second]) {
      assertEquals(await codeOf(host, token), "token_unknown");
    }
  });

  it("is spared by a sign-out everywhere else, also if a refresh has issued it", async () => {
    const host = await startHost();
    const [client, other] = [open(host), open(host)];
    await tokenOf(client, ADA);
    const token = await tokenOf(client, ADA);
    const others = await tokenOf(other, ADA);
    assertEquals(await client.socket.emitWithAck("sign out elsewhere"), 1);
    assertEquals(await codeOf(host, others), "token_unknown");
    assertEquals(await codeOf(host, token), "ok");
  });
});
