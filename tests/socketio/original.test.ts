import { assertEquals, describe, it } from "#testing";
import type { Socket } from "socket.io";
import { disposeAfterEach } from "../kit/disposal.ts";
import { engineOnly } from "../kit/targets.ts";
import { openWorld } from "../kit/world.ts";

const users = new Map([["John", { name: "John", password: "secret" }]]);

type FindCallback = (error: Error | null, user?: { name: string; password: string }) => void;

const db = {
  findUser(_type: string, { username }: { username: string }, callback: FindCallback): void {
    setTimeout(() => callback(null, users.get(username)), 1);
  },
};

/** The server of the original module's README, to the letter. */
// deno-lint-ignore no-explicit-any -- as it was
function authenticate(_socket: Socket, data: any, callback: any): void {
  const username = data.username;
  const password = data.password;
  db.findUser("User", { username: username }, function (err, user) {
    if (err || !user) return callback(new Error("User not found"));
    return callback(null, user.password == password);
  });
}

describe("the original module's promises", () => {
  disposeAfterEach();

  for (const place of engineOnly) {
    it(`its README's client and server work unchanged (${place.name})`, async () => {
      const world = await openWorld(place, {
        authenticate,
        // deno-lint-ignore no-explicit-any -- as it was
        postAuthenticate(socket: Socket, data: any) {
          db.findUser("User", { username: data.username }, function (_err, user) {
            Object.assign(socket.client, { user });
            world.log.push("user", user?.name);
          });
        },
        disconnect: (socket: Socket) => world.log.push("gone", socket.id),
        timeout: 1000,
      });
      const { socket, events } = await world.connect();
      const id = socket.id;
      socket.emit("authentication", { username: "John", password: "secret" });
      socket.on("authenticated", () => socket.emit("use the socket as usual"));
      assertEquals(await world.log.next("user"), ["John"]);
      assertEquals((await events.next("authenticated"))[0], true);
      socket.disconnect();
      assertEquals(await world.log.next("gone"), [id]);
    });

    it(`its reasons are the same (${place.name})`, async () => {
      const world = await openWorld(place, { authenticate });
      for (
        const [credentials, message] of [
          [{ username: "Jane" }, "User not found"],
          [{ username: "John", password: "wrong" }, "Authentication failure"],
        ] as const
      ) {
        const { socket, events } = await world.connect();
        socket.emit("authentication", credentials);
        const [error] = await events.next("unauthorized") as [{ message: string }];
        assertEquals(error.message, message);
        await events.next("disconnect");
      }
    });

    it(`the default timeout is 1000 ms (${place.name})`, async () => {
      const world = await openWorld(place, { timeout: undefined as never });
      const startedAt = performance.now();
      const client = await world.connect();
      await client.next("disconnect");
      const ms = performance.now() - startedAt;
      assertEquals([ms >= 990, ms < 3000], [true, true], `cut after ${ms} ms`);
    });

    it(`socket.auth follows the session (${place.name})`, async () => {
      const seen: unknown[] = [];
      const world = await openWorld(place, {
        postAuthenticate: (socket: Socket & { auth: boolean }) => void seen.push(socket.auth),
      }, {
        setUp(io) {
          io.use((socket, next) => {
            seen.push((socket as unknown as { auth: boolean }).auth);
            next();
          });
          io.on("connection", (socket) => {
            seen.push((socket as unknown as { auth: boolean }).auth);
          });
        },
      });
      await (await world.connect()).signIn();
      assertEquals(seen, [false, true, true]);
    });
  }
});
