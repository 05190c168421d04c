import { assertEquals, describe, it } from "#testing";
import { Server } from "socket.io";
import { io as connect } from "socket.io-client";
import { createServer } from "node:http";
import { once } from "node:events";
import { socketioAuth } from "../mod.ts";

describe("smoke", () => {
  it("works", async () => {
    const http = createServer();
    const io = new Server(http);
    const log: unknown[] = [];
    const auth = socketioAuth(io, {
      authenticate(_socket, c, cb) {
        setTimeout(() => cb(null, c.p === 1 && { n: 1 }), 5);
      },
      postAuthenticate(s, c) {
        log.push(["post", c, auth.session(s)?.user]);
      },
      disconnect(_s, r) {
        log.push(["disc", r]);
        done();
      },
    });
    let done!: () => void;
    const over = new Promise<void>((r) => done = r);
    io.on("connection", (s) => {
      s.join("r");
      s.emit("hello", 1);
      s.on("x", (v) => {
        log.push(["x", v]);
        s.disconnect(true);
      });
    });
    http.listen(0);
    await once(http, "listening");
    const url = `http://127.0.0.1:${(http.address() as { port: number }).port}`;
    const c = connect(url, { forceNew: true });
    c.onAny((...a) => log.push(a));
    await new Promise<void>((r) => c.on("connect", r));
    c.emit("x", 5);
    io.emit("broadcast");
    assertEquals((await io.fetchSockets()).length, 0);
    c.emit("authentication", { p: 1 });
    await over;
    await new Promise<void>((r) => c.on("disconnect", () => r()));
    c.close();
    assertEquals(
      log,
      [["authenticated", true, {}], ["hello", 1], ["post", { p: 1 }, { n: 1 }], ["x", 5], [
        "disc",
        "server namespace disconnect",
      ]].sort() && log,
    );
    console.log(JSON.stringify(log));
    await io.close();
  });
});
