import { assertEquals, describe, it } from "#testing";
import { start } from "../../examples/recipes/one-session.ts";
import { disposeAfterEach } from "../kit/disposal.ts";
import { connect, open } from "./kit.ts";

const ADA = { auth: { token: "token of ada" } };
const GRACE = { auth: { token: "token of grace" } };

describe("the recipe of one session for each user", () => {
  disposeAfterEach();

  it("ends the former session of a user, and no one else's", async () => {
    const url = await open(start(0));
    const grace = await connect(url, GRACE);
    const first = await connect(url, ADA);
    await first.next("authenticated");
    const second = await connect(url, ADA);
    await second.next("authenticated");
    assertEquals(await first.next("unauthorized"), [{
      message: "Signed in elsewhere",
      code: "revoked",
      reconnect: false,
    }]);
    await first.next("disconnect");
    second.emit("move", "e4");
    assertEquals(await grace.next("move"), ["Ada", "e4"]);
    assertEquals(await second.next("move"), ["Ada", "e4"]);
  });

  it("leaves exactly one of many that sign in at once", async () => {
    const io = start(0);
    const url = await open(io);
    const clients = await Promise.all(Array.from({ length: 5 }, () => connect(url, ADA)));
    let connected = clients.length;
    await new Promise<void>((resolve) => {
      const count = () => void (--connected === 1 && resolve());
      for (const client of clients) client.next("disconnect").then(count, () => {});
    });
    const left = clients.filter(({ socket }) => socket.connected);
    assertEquals(left.length, 1);
    left[0]!.emit("move", "e4");
    assertEquals(await left[0]!.next("move"), ["Ada", "e4"]);
  });
});
