import { assertEquals, describe, it } from "#testing";
import { start } from "../../examples/recipes/login-form.ts";
import { disposeAfterEach } from "../kit/disposal.ts";
import { ask, codeOf, connect, open } from "./kit.ts";

const RIGHT = { username: "ada", password: "lovelace" };
const WRONG = { username: "ada", password: "guess" };

describe("the recipe of a login form", () => {
  disposeAfterEach();

  it("lets a person correct a typing error, on the same connection", async () => {
    const client = await connect(await open(start(0)));
    for (const credentials of [WRONG, { username: "eve", password: "lovelace" }]) {
      client.emit("authentication", credentials);
      assertEquals(await client.next("unauthorized"), [{
        message: "Wrong name or password",
        code: "authentication_error",
        reconnect: false,
      }]);
    }
    assertEquals(await client.signIn(RIGHT), ["Ada"]);
    client.emit("chat", "hello");
    assertEquals(await client.next("chat"), ["Ada", "hello"]);
  });

  it("closes the connection after three wrong passwords", async () => {
    const client = await connect(await open(start(0)));
    for (let attempt = 1; attempt <= 3; attempt++) await ask(client, "authentication", WRONG);
    assertEquals(await client.next("disconnect"), ["io server disconnect"]);
  });

  it("shows the verifier nothing but two texts", async () => {
    const client = await connect(await open(start(0)));
    client.emit("authentication", { username: ["ada"], password: { length: 8 } });
    assertEquals(await codeOf(client), "invalid_credentials");
  });

  it("limits guesses over all connections, and right passwords cost nothing", async () => {
    const url = await open(start(0));
    const codes: unknown[] = [];
    for (let connection = 1; connection <= 4; connection++) {
      await (await connect(url)).signIn(RIGHT);
      const client = await connect(url);
      for (let attempt = 1; attempt <= 3; attempt++) {
        codes.push((await ask(client, "authentication", WRONG) as { code: string }).code);
      }
    }
    assertEquals(codes.slice(0, 10), Array(10).fill("authentication_error"));
    assertEquals(codes.slice(10), Array(2).fill("too_many_attempts"));
  });
});
