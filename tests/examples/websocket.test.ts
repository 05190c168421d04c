import { assert, assertEquals, assertMatch, assertThrows, describe, it } from "#testing";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { WebSocket, WebSocketServer } from "ws";
import { AuthError, type CommonOptions, type VerifyOption } from "../../mod.ts";
import {
  type Socket,
  type WebSocketAuth,
  websocketAuth,
} from "../../examples/websocket/websocket_auth.ts";
import { disposeAfterEach, onDispose } from "../kit/disposal.ts";
import { EventQueue } from "../kit/events.ts";

interface User {
  readonly id: string;
}

interface Credentials {
  readonly name: string;
  readonly password?: string;
}

type AnyOptions = Partial<
  VerifyOption<Socket, User, Credentials> & CommonOptions<Socket, User, Credentials>
>;

/** A client that keeps everything it gets. */
class Client {
  readonly events: EventQueue = new EventQueue();
  readonly #ws: WebSocket;

  constructor(url: string) {
    this.#ws = new WebSocket(url);
    onDispose(() => this.#ws.terminate());
    this.#ws.on("message", (data) => {
      const { event, answer, args, id } = JSON.parse(String(data));
      this.events.push(event ?? `answer ${answer}`, ...args, ...id === undefined ? [] : [id]);
    });
    this.#ws.on("close", (code) => this.events.push("close", code));
  }

  static async open(url: string): Promise<Client> {
    const client = new Client(url);
    await client.next("connect");
    return client;
  }

  send(message: object | string): void {
    this.#ws.send(typeof message === "string" ? message : JSON.stringify(message));
  }

  emit(event: string, ...args: unknown[]): void {
    this.send({ event, args });
  }

  next(event: string): Promise<unknown[]> {
    return this.events.next(event);
  }

  async signIn(name: string): Promise<void> {
    this.emit("authentication", { name, password: "right" });
    await this.next("authenticated");
  }

  /** What it was told, as codes. */
  async refusal(): Promise<string> {
    const [{ code }] = await this.next("unauthorized") as [{ code: string }];
    return code;
  }

  get received(): string[] {
    return this.events.names.filter((name) => name !== "connect");
  }
}

interface World {
  readonly url: string;
  readonly auth: WebSocketAuth<User>;
  readonly log: EventQueue;
}

async function open(
  options: AnyOptions = {},
  onConnection: (socket: Socket) => void = () => {},
): Promise<World> {
  const server = new WebSocketServer({ port: 0, host: "127.0.0.1", maxPayload: 1000 });
  const log = new EventQueue();
  const auth = websocketAuth(server, {
    verify: (_socket, { name, password }: Credentials) => password === "right" && { id: name },
    timeout: 30_000,
    ...options,
  }, (socket) => {
    log.push("connection", socket);
    socket.on("say", (...args) => log.push("say", ...args));
    socket.on("disconnect", (reason) => log.push("disconnect", reason));
    onConnection(socket);
  });
  await once(server, "listening");
  onDispose(() => {
    for (const client of server.clients) client.terminate();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  return { url: `ws://127.0.0.1:${port}`, auth: auth as WebSocketAuth<User>, log };
}

describe("the example of plain WebSockets", () => {
  disposeAfterEach();

  it("signs in, with nothing going either way before", async () => {
    const { url, auth, log } = await open({}, (socket) => socket.emit("welcome"));
    const client = await Client.open(url);
    client.emit("say", "held");
    auth.broadcast("secret");
    client.send({ event: "authentication", args: [{ name: "ada", password: "right" }], id: 7 });
    assertEquals(await client.next("answer 7"), [{ ok: true, reply: true }]);
    await client.next("welcome");
    assertEquals(await log.next("say"), ["held"]);
    auth.broadcast("public");
    await client.next("public");
    assertEquals(client.received, ["authenticated", "answer 7", "welcome", "public"]);
    const [socket] = await log.next("connection") as [Socket];
    assertEquals([auth.user(socket), socket.auth], [{ id: "ada" }, true]);
  });

  it("refuses, says why, and closes", async () => {
    const { url, log } = await open({
      verify: (_socket, { name }) => {
        if (name === "locked") throw new AuthError("Locked", { code: "locked" });
        return false;
      },
    });
    for (const [name, code] of [["eve", "authentication_failed"], ["locked", "locked"]]) {
      const client = await Client.open(url);
      client.emit("say", "never");
      client.emit("authentication", { name });
      assertEquals(await client.refusal(), code);
      assertEquals(await client.next("close"), [4401]);
    }
    assertEquals(log.all, []);
  });

  it("cuts those who stay silent, hold too much, or send what is none", async () => {
    const { url } = await open({ timeout: 1000, holdLimit: { events: 2 } });
    const silent = await Client.open(url);
    assertEquals(await silent.refusal(), "timeout");
    const flood = await Client.open(url);
    for (let i = 0; i < 3; i++) flood.emit("say", i);
    assertEquals(await flood.refusal(), "too_many_events");
    for (
      const nonsense of ["", "null", "[]", '{"event":1,"args":[]}', '{"answer":"x","args":[]}']
    ) {
      const client = await Client.open(url);
      client.send(nonsense);
      assertEquals(await client.next("close"), [1007]);
    }
  });

  it("tells the operator of an event that was meant to be another", async () => {
    const told = new EventQueue();
    const { url } = await open({
      timeout: 1000,
      onError: (error, { during }) => told.push(during, (error as Error).message),
    });
    const client = await Client.open(url);
    client.emit("login", { name: "ada", password: "right" });
    assertEquals(await client.refusal(), "timeout");
    assertMatch(String(await told.next("timeout")), /sent the event "login" instead of/);
  });

  it("asks a second factor", async () => {
    const { url } = await open({
      async verify(_socket, { name }, { challenge }) {
        return await challenge("code?") === "42" && { id: name };
      },
    });
    for (const [answer, outcome] of [["42", "authenticated"], ["0", "unauthorized"]]) {
      const client = await Client.open(url);
      client.emit("authentication", { name: "ada" });
      assertEquals(await client.next("challenge"), ["code?", 0]);
      client.send({ answer: 0, args: [answer] });
      await client.next(outcome!);
    }
  });

  it("refreshes, as the same user only", async () => {
    const { url, log, auth } = await open();
    const client = await Client.open(url);
    await client.signIn("ada");
    await client.signIn("ada");
    const [socket] = await log.next("connection") as [Socket];
    assertEquals(auth.session(socket)?.userId, "ada");
    client.emit("authentication", { name: "eve", password: "right" });
    assertEquals(await client.refusal(), "subject_mismatch");
    await client.next("close");
    assertEquals(log.names, ["connection", "disconnect"]);
  });

  it("ends sessions that expire or are revoked, but for one that is spared", async () => {
    const { url, auth, log } = await open({
      expiresAt: ({ id }) => id === "mortal" ? Date.now() + 100 : undefined,
    });
    const mortal = await Client.open(url);
    await mortal.signIn("mortal");
    assertEquals(await mortal.refusal(), "expired");
    await log.next("connection");

    const clients = await Promise.all([1, 2].map(() => Client.open(url)));
    for (const client of clients) await client.signIn("ada");
    const [spared] = await log.next("connection") as [Socket];
    assertEquals(await auth.revoke({ userId: "ada" }, { except: spared }), 1);
    assertEquals(await clients[1]!.refusal(), "revoked");
    auth.broadcast("public");
    await clients[0]!.next("public");
  });

  it("signs out, and in again as anybody, on the same WebSocket", async () => {
    const { url, auth, log } = await open();
    const client = await Client.open(url);
    await client.signIn("ada");
    const [socket] = await log.next("connection") as [Socket];
    const answered = Promise.withResolvers<(text: string) => void>();
    socket.on("ask", answered.resolve);
    client.send({ event: "ask", args: [], id: 1 });
    const answer = await answered.promise;
    auth.deauthenticate(socket);
    assertEquals(await client.refusal(), "signed_out");
    const [{ id }] = await client.next("connect") as [{ id: string }];
    assert(id !== socket.id);
    // Whoever still holds the socket talks to nobody.
    answer("secret");
    socket.emit("secret");
    await client.signIn("eve");
    socket.emit("secret");
    auth.broadcast("public");
    await client.next("public");
    assertEquals(client.received, ["authenticated", "unauthorized", "authenticated", "public"]);
    const [, next] = log.all.filter(([name]) => name === "connection").map(([, s]) => s as Socket);
    assertEquals([auth.session(next!)?.userId, auth.session(socket)?.userId], ["eve", "ada"]);
  });

  it("has limits: attempts, throttle, places; and gives every place back", async () => {
    const limiter = { consume: () => Promise.reject({ msBeforeNext: 500 }) };
    const throttled = await open({ throttle: { limiter } });
    const guess = await Client.open(throttled.url);
    guess.emit("authentication", { name: "ada" });
    assertEquals(await guess.refusal(), "too_many_attempts");

    const { url, auth } = await open({ attempts: 2, maxPending: 1 });
    const first = await Client.open(url);
    const second = await Client.open(url);
    assertEquals(await second.refusal(), "server_busy");
    for (let i = 0; i < 2; i++) {
      first.emit("authentication", { name: "ada", password: "wrong" });
      assertEquals(await first.refusal(), "authentication_failed");
    }
    await first.next("close");
    await second.next("close");
    assertEquals([auth.stats().pending, auth.stats().authenticated], [0, 0]);
    await (await Client.open(url)).signIn("ada");
  });

  it("refuses options that it cannot honor, by name", () => {
    for (const name of ["handshake", "open"]) {
      const server = new WebSocketServer({ noServer: true, maxPayload: 1000 });
      const options = { verify: () => ({ id: "1" }), [name]: name === "open" ? "/" : true };
      assertThrows(
        () => websocketAuth(server, options, () => {}),
        TypeError,
        `no option ${name} for plain WebSockets`,
      );
    }
  });

  it("takes no server that takes messages of any length", () => {
    for (const maxPayload of [undefined, 0, 100 * 1024 * 1024, 2 ** 30]) {
      const limit = maxPayload === undefined ? {} : { maxPayload };
      const server = new WebSocketServer({ noServer: true, ...limit });
      const options = { verify: () => ({ id: "1" }) };
      assertThrows(() => websocketAuth(server, options, () => {}), TypeError, "maxPayload");
    }
  });

  it("closes a client whose message is too long, and stays", async () => {
    const { url } = await open();
    const client = await Client.open(url);
    client.emit("say", "x".repeat(2000));
    await client.next("close");
    await (await Client.open(url)).signIn("ada");
  });
});
