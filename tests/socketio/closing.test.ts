import { assertEquals, describe, it } from "#testing";
import type { VerifyContext } from "../../mod.ts";
import { disposeAfterEach } from "../kit/disposal.ts";
import { engineOnly, places } from "../kit/targets.ts";
import { engineIsEmpty, openWorld } from "../kit/world.ts";

describe("closing", () => {
  disposeAfterEach();

  for (const place of places) {
    it(`a refused client gets the reason, then the close (${place.name})`, async () => {
      const world = await openWorld(place);
      const client = await world.connect();
      client.emit("authentication", { password: "wrong" });
      await client.next("disconnect");
      assertEquals(client.events.names, ["connect", "unauthorized", "disconnect"]);
      await engineIsEmpty(world.io);
    });

    it(`a silent client is cut at the deadline, with the reason (${place.name})`, async () => {
      const world = await openWorld(place, { timeout: 150 });
      const connectedAt = performance.now();
      const client = await world.connect();
      assertEquals(await client.next("unauthorized"), [{
        message: "Authentication timeout",
        code: "timeout",
        reconnect: true,
      }]);
      assertEquals(await client.next("disconnect"), ["io server disconnect"]);
      assertEquals(performance.now() - connectedAt >= 150, true);
      await engineIsEmpty(world.io);
    });

    it(`the disconnect hook is told why, signed in or not (${place.name})`, async () => {
      const world = await openWorld(place, {
        disconnect(socket: object, reason: string) {
          world.log.push("gone", world.auth.session(socket)?.user.name, reason);
        },
      });
      const client = await world.connect();
      await client.signIn();
      client.socket.disconnect();
      assertEquals(await world.log.next("gone"), ["ada", "client namespace disconnect"]);
      const refused = await world.connect();
      refused.emit("authentication", { password: "wrong" });
      assertEquals(await world.log.next("gone"), [undefined, "server namespace disconnect"]);
    });
  }

  for (const place of engineOnly) {
    it(`the deadline includes verification, traffic does not extend it (${place.name})`, async () => {
      const aborted = Promise.withResolvers<void>();
      const world = await openWorld(place, {
        timeout: 1000,
        incoming: "drop",
        verify(_socket: unknown, _given: unknown, { signal }: VerifyContext) {
          signal.addEventListener("abort", () => aborted.resolve());
          return new Promise(() => {});
        },
      });
      const client = await world.connect();
      const talking = setInterval(() => client.emit("chatter"), 20);
      const outcome = await client.socket.emitWithAck("authentication", {});
      clearInterval(talking);
      assertEquals(outcome.code, "timeout");
      await client.next("disconnect");
      await aborted.promise;
    });

    it(`timeout "none" never cuts, signing in stops the deadline (${place.name})`, async () => {
      const silent = await (await openWorld(place, { timeout: "none" })).connect();
      const world = await openWorld(place, { timeout: 1000 });
      const client = await world.connect();
      await client.signIn();
      // The yardstick: a third client that is cut, after both could have been.
      const cut = await world.connect();
      await cut.next("disconnect");
      assertEquals([silent.socket.connected, client.socket.connected], [true, true]);
    });
  }
});
