import { assert, assertEquals, describe, it } from "#testing";
import { start } from "../../examples/recipes/roles.ts";
import type { Client } from "../kit/client.ts";
import { disposeAfterEach, onDispose } from "../kit/disposal.ts";
import { ask, codeOf, connect, open } from "./kit.ts";

async function signIn(url: string, token: string, path = "/"): Promise<Client> {
  const client = await connect(url, { auth: { token }, path });
  await client.next("authenticated");
  return client;
}

/** Gives a user another role, and back the former one after the test. */
async function setRole(admin: Client, id: string, role: string): Promise<void> {
  assertEquals(await ask(admin, "set role", id, role), {});
}

/** What `./client` does when it is told a new end. */
async function refresh(client: Client, token: string): Promise<void> {
  const [, info] = await client.next("authenticated") as [unknown, { expiresIn: number }];
  assert(info.expiresIn <= 10_000);
  assertEquals((await ask(client, "authentication", { token }) as { ok: boolean }).ok, true);
  assertEquals(await client.next("authenticated"), [true]);
}

describe("the recipe of roles", () => {
  disposeAfterEach();

  it("refuses those without a token", async () => {
    const client = await connect(await open(start(0)));
    client.emit("authentication", { token: "hasOwnProperty" });
    assertEquals(await codeOf(client), "authentication_failed");
  });

  it("lets each role send what it may, and nothing unknown", async () => {
    const url = await open(start(0));
    const guest = await signIn(url, "guest");
    assertEquals(await ask(guest, "read"), { messages: [] });
    assertEquals(await ask(guest, "post", "hello"), { error: "forbidden" });
    assertEquals(await ask(guest, "constructor"), { error: "forbidden" });
    assertEquals(await ask(await signIn(url, "member"), "post", "hello"), {});
    assertEquals(await guest.next("message"), ["hello"]);
  });

  it("keeps a namespace for those whose it is", async () => {
    const url = await open(start(0));
    const member = await signIn(url, "member");
    const refused = member.sibling("/admin");
    assertEquals(await codeOf(refused), "forbidden");
    assertEquals(await ask(member, "read"), { messages: [] });
    await signIn(url, "admin", "/admin");
  });

  it("limits how many events a user sends, over all its sockets", async () => {
    const url = await open(start(0));
    const sockets = [await signIn(url, "member"), await signIn(url, "member")];
    const asked = Array.from({ length: 22 }, (_, i) => ask(sockets[i % 2]!, "read"));
    const refused = (await Promise.all(asked)).filter((answer) => "error" in Object(answer));
    assertEquals(refused, [{ error: "too fast" }, { error: "too fast" }]);
  });

  it("changes rights and rooms of a socket that is there", async () => {
    const io = start(0);
    const url = await open(io);
    const admin = await signIn(url, "admin", "/admin");
    onDispose(() => setRole(admin, "member", "member"));
    const member = await signIn(url, "member");
    const inRoom = async (role: string) => (await io.in(role).fetchSockets()).length;
    assertEquals(await inRoom("member"), 1);

    await setRole(admin, "member", "admin");
    await refresh(member, "member");
    assertEquals([await inRoom("member"), await inRoom("admin")], [0, 1]);
    const sibling = member.sibling("/admin");
    await sibling.next("authenticated");

    await setRole(admin, "member", "guest");
    await refresh(member, "member");
    assertEquals(await codeOf(sibling), "forbidden");
    await sibling.next("disconnect");
    assertEquals(await ask(member, "post", "hello"), { error: "forbidden" });
    assertEquals(await inRoom("guest"), 1);
  });
});
