import type { AddressInfo } from "node:net";
import { assertEquals, describe, it } from "#testing";
import { type ExecutionContext, Module, UseGuards } from "@nestjs/common";
import { SubscribeMessage, WebSocketGateway } from "@nestjs/websockets";
import type { Server, Socket } from "socket.io";
import { disposeAfterEach, onDispose } from "../kit/disposal.ts";
import { ask, codeOf, connect, open } from "./kit.ts";

const runtime = "Bun" in globalThis ? "Bun" : "Deno" in globalThis ? "Deno" : "Node";

/** What is there on every framework. */
async function use(url: string): Promise<void> {
  assertEquals(await (await fetch(url)).text(), "hello");
  const client = await connect(url);
  client.emit("authentication", { token: "token of ada" });
  await client.next("authenticated");
  client.emit("chat", "hello");
  assertEquals(await client.next("chat"), ["Ada", "hello"]);
  const other = await connect(url);
  other.emit("chat", "hello");
  other.emit("authentication", { token: "guess" });
  assertEquals(await codeOf(other), "authentication_failed");
}

const onHttp: Record<string, () => Promise<{ start(port: number): Server | Promise<Server> }>> = {
  "Express 5": () => import("../../examples/frameworks/express.ts"),
  "Hono, with @hono/node-server": () => import("../../examples/frameworks/hono.ts"),
};

describe("the frameworks", () => {
  disposeAfterEach();

  for (const [name, load] of Object.entries(onHttp)) {
    it(`are guarded: ${name}`, async () => {
      const { start } = await load();
      await use(await open(await start(0)));
    });
  }

  it("are guarded: Fastify 5, which closes with clients that are connected", async () => {
    const { start } = await import("../../examples/frameworks/fastify.ts");
    const app = await start(0);
    const { port } = app.server.address() as AddressInfo;
    await use(`http://localhost:${port}`);
    await connect(`http://localhost:${port}`);
    await app.close();
  });

  it("are guarded: NestJS 11, each gateway", async () => {
    const { start, userOf } = await import("../../examples/frameworks/nest.ts");
    const log: string[] = [];

    // What decorators do, in JavaScript that each runtime takes as it is.
    class Chat {
      handleConnection(socket: Socket) {
        log.push(`${userOf(socket).name} in ${socket.nsp.name}`);
      }
      who(socket: Socket) {
        return userOf(socket).name;
      }
      ban() {
        return "banned";
      }
    }
    class Admin extends Chat {}
    const adminsOnly = {
      canActivate: (context: ExecutionContext) =>
        userOf(context.switchToWs().getClient()).role === "admin",
    };
    const descriptor = (name: "who" | "ban") =>
      Object.getOwnPropertyDescriptor(Chat.prototype, name)!;
    WebSocketGateway()(Chat);
    WebSocketGateway({ namespace: "admin" })(Admin);
    for (const name of ["who", "ban"] as const) {
      SubscribeMessage(name)(Chat.prototype, name, descriptor(name));
    }
    UseGuards(adminsOnly)(Chat.prototype, "ban", descriptor("ban"));
    class App {}
    Module({ providers: [Chat, Admin] })(App);

    const app = await start(0, App);
    onDispose(() => app.close());
    const url = (await app.getUrl()).replace("[::1]", "127.0.0.1");
    const ada = await connect(url);
    ada.emit("authentication", { token: "token of ada" });
    await ada.next("authenticated");
    assertEquals(await ask(ada, "who"), "Ada");
    assertEquals(await ask(ada, "ban"), "banned");
    await ada.sibling("/admin").next("authenticated");

    const grace = await connect(url);
    grace.emit("authentication", { token: "token of grace" });
    await grace.next("authenticated");
    grace.emit("ban");
    assertEquals(
      (await grace.next("exception") as [{ message: string }])[0].message,
      "Forbidden resource",
    );

    const stranger = await connect(url, { path: "/admin" });
    stranger.emit("who");
    stranger.emit("authentication", { token: "guess" });
    assertEquals(await codeOf(stranger), "authentication_failed");
    assertEquals(log, ["Ada in /", "Ada in /admin", "Grace in /"]);
  });

  if (runtime === "Bun") {
    it("are guarded: Hono, with bun-engine", async () => {
      const { site } = await import("../../examples/frameworks/hono-bun.ts");
      await use(serve(site(0)));
    });

    it("are guarded: Elysia", async () => {
      const { start } = await import("../../examples/frameworks/elysia.ts");
      const app = start(0);
      onDispose(() => app.stop(true));
      await use(`http://127.0.0.1:${(app.server as BunServer).port}`);
    });
  }
});

interface BunServer {
  readonly port: number;
  stop(all: boolean): Promise<void>;
}

function serve(options: object): string {
  const { Bun } = globalThis as unknown as { Bun: { serve(options: object): BunServer } };
  const server = Bun.serve(options);
  onDispose(() => server.stop(true));
  return `http://127.0.0.1:${server.port}`;
}
