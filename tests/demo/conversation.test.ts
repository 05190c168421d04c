import { assertEquals, describe, it } from "#testing";
import { Client } from "../kit/client.ts";
import { disposeAfterEach } from "../kit/disposal.ts";
import { io } from "socket.io-client";
import { startHost } from "./chat.ts";

const ADA = { username: "ada", password: "lovelace" };

describe("the demo's conversation", () => {
  disposeAfterEach();

  it("passes on once what is sent twice, and acknowledges both", async () => {
    const { url } = await startHost();
    const [speaker, listener] = [1, 2].map(() => new Client(io(url, { forceNew: true })));
    for (const client of [speaker!, listener!]) await client.signIn(ADA);

    await speaker!.socket.emitWithAck("chat", "1", "one");
    await speaker!.socket.emitWithAck("chat", "1", "one");
    await speaker!.socket.emitWithAck("chat", "2", "two");

    const [first] = await listener!.next("chat");
    const [second] = await listener!.next("chat");
    assertEquals([first, second], [{ from: "ada", text: "one" }, { from: "ada", text: "two" }]);
  });

  it("passes over what is no message", async () => {
    const { url } = await startHost();
    const [speaker, listener] = [1, 2].map(() => new Client(io(url, { forceNew: true })));
    for (const client of [speaker!, listener!]) await client.signIn(ADA);

    speaker!.emit("chat");
    speaker!.emit("chat", "1", "no acknowledgement");
    for (const text of ["", " ", 5, null, "x".repeat(501)]) {
      speaker!.emit("chat", "1", text, () => {});
    }
    await speaker!.socket.emitWithAck("chat", "1", "one");

    assertEquals((await listener!.next("chat"))[0], { from: "ada", text: "one" });
  });
});
