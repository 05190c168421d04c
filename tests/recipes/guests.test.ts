import { assertEquals, describe, it } from "#testing";
import { authenticate, type ClientSession } from "../../src/client/client.ts";
import { start } from "../../examples/recipes/guests.ts";
import { disposeAfterEach, onDispose } from "../kit/disposal.ts";
import { ask, codeOf, connect, open } from "./kit.ts";

const newGuest = () => crypto.randomUUID();

describe("the recipe of guests", () => {
  disposeAfterEach();

  it("lets a guest in, with the rights of one", async () => {
    const guest = newGuest();
    const client = await connect(await open(start(0)), { auth: { guest } });
    assertEquals(await client.next("authenticated"), ["A guest"]);
    assertEquals(await ask(client, "add", "tea"), ["tea"]);
    assertEquals(await ask(client, "order"), "Sign in first");
  });

  it("makes a user of a guest, on the same transport", async () => {
    const url = await open(start(0));
    const guest = newGuest();
    const client = await connect(url, { auth: { guest } });
    await ask(client, "add", "tea");
    const transport = client.socket.io.engine.id;
    const first = client.socket.id;
    client.emit("sign out");
    assertEquals(await codeOf(client), "signed_out");
    await client.next("connect");
    client.emit("authentication", { guest, token: "token of ada" });
    await client.next("authenticated");
    assertEquals(await client.next("authenticated"), ["Ada"]);
    assertEquals(await ask(client, "cart"), ["tea"]);
    assertEquals(await ask(client, "order"), "Thank you");
    assertEquals(client.socket.io.engine.id, transport);
    assertEquals(client.socket.id === first, false);

    const again = await connect(url, { auth: { guest } });
    assertEquals(await ask(again, "cart"), []);
  });

  it("does so with the client module, too", async () => {
    const guest = newGuest();
    const client = await connect(await open(start(0)));
    const asGuest = authenticate<string>(client.socket, { guest });
    onDispose(() => asGuest.stop());
    assertEquals(await asGuest.ready, "A guest");
    asGuest.stop();
    const asAda = new Promise<ClientSession<string>>((resolve) => {
      client.socket.once("connect", () => {
        resolve(authenticate<string>(client.socket, { guest, token: "token of ada" }));
      });
    });
    client.emit("sign out");
    const session = await asAda;
    onDispose(() => session.stop());
    assertEquals(await session.ready, "Ada");
  });

  it("refuses a short secret, and a wrong token also with a guest's", async () => {
    const url = await open(start(0));
    for (const credentials of [{ guest: "1" }, {}, { guest: newGuest(), token: "x" }]) {
      const client = await connect(url);
      client.emit("authentication", credentials);
      assertEquals(await codeOf(client), "authentication_failed");
    }
  });

  it("makes no other user of a socket that is a guest's", async () => {
    const guest = newGuest();
    const client = await connect(await open(start(0)), { auth: { guest } });
    client.emit("authentication", { guest, token: "token of ada" });
    assertEquals(await codeOf(client), "subject_mismatch");
  });
});
