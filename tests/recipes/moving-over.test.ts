// What "Moving over from other modules" says of clients and servers.
import { createServer } from "node:http";
import { assert, assertEquals, assertThrows, describe, it } from "#testing";
import { authorize } from "@thream/socketio-jwt";
import signer from "jsonwebtoken";
import { Server } from "socket.io";
import { socketioAuth } from "../../mod.ts";
import { jwt } from "../../src/jwt/jwt.ts";
import { disposeAfterEach } from "../kit/disposal.ts";
import { codeOf, connect, open, refusalOf } from "./kit.ts";

const SECRET = "at least 32 characters, to try it out";
const options = { issuer: "https://app.example", audience: "chat" } as const;
const sign = (secret = SECRET) =>
  signer.sign({}, secret, { ...options, subject: "1", expiresIn: 60 });

async function listen(setUp: (io: Server) => unknown): Promise<string> {
  const http = createServer();
  const io = new Server(http);
  setUp(io);
  http.listen(0, "127.0.0.1");
  return await open(io);
}

describe("moving over from @thream/socketio-jwt", () => {
  disposeAfterEach();

  const servers: Record<string, (io: Server) => unknown> = {
    before: (io) => io.use(authorize({ secret: SECRET }) as never),
    now: (io) => socketioAuth(io, { ...jwt({ secret: SECRET, ...options }), handshake: true }),
  };
  for (const [when, setUp] of Object.entries(servers)) {
    it(`leaves clients as they are (${when})`, async () => {
      const url = await listen(setUp);
      const client = await connect(url, { auth: { token: `Bearer ${sign()}` } });
      assertEquals(client.socket.connected, true);
      const other = await connect(url, {
        auth: { token: `Bearer ${sign("another secret".repeat(3))}` },
      });
      const code = when === "before" ? "invalid_token" : "authentication_failed";
      assertEquals(refusalOf(other), code);
      const [, error] = other.events.all.find(([name]) => name === "connect_error")!;
      const { type } = (error as { data: { type?: string } }).data;
      assertEquals(type, when === "before" ? "UnauthorizedError" : undefined);
    });
  }
});

describe("moving over from socketio-jwt", () => {
  disposeAfterEach();

  it("tells the operator of a client that sends `authenticate`", async () => {
    const errors: string[] = [];
    const url = await listen((io) =>
      socketioAuth(io, {
        ...jwt({ secret: SECRET, ...options }),
        timeout: 100,
        onError: (error) => void errors.push(String(error)),
      })
    );
    const client = await connect(url);
    client.emit("authenticate", { token: sign() });
    assertEquals(await codeOf(client), "timeout");
    assert(errors.some((error) => error.includes('"authenticate"')), errors.join());
  });
});

describe("moving over from an io.use of one's own", () => {
  disposeAfterEach();

  it("finds no user in there, also with credentials in the handshake", async () => {
    const seen: unknown[] = [];
    const url = await listen((io) => {
      const auth = socketioAuth(io, { verify: () => ({ id: 1 }), handshake: true });
      io.use((socket, next) => {
        seen.push(auth.session(socket), socket.handshake.auth);
        assertThrows(() => auth.user(socket), TypeError);
        next();
      });
    });
    const client = await connect(url, { auth: { token: "x" } });
    await client.next("authenticated");
    assertEquals(seen, [undefined, {}]);
  });
});
