import { assertEquals, assertRejects, describe, it } from "#testing";
import { once } from "node:events";
import { connect, type Socket as TcpSocket } from "node:net";
import type { Server } from "socket.io";
import { WebSocket } from "ws";
import { openClient } from "../kit/client.ts";
import { disposeAfterEach, onDispose } from "../kit/disposal.ts";
import { EventQueue } from "../kit/events.ts";
import { request } from "../kit/request.ts";
import { createServer, engineOnly, type Place, places, start } from "../kit/targets.ts";

interface AskedRequest {
  readonly url: string;
  readonly method: string;
  readonly headers: Record<string, string | undefined>;
  readonly socket: { readonly remoteAddress?: string };
}

type Callback = (error?: unknown, isAllowed?: unknown) => void;
type AllowRequest = (request: AskedRequest, callback: Callback) => unknown;

interface Open {
  readonly io: Server;
  readonly url: string;
  /** Transports that were opened, by their names. */
  readonly opened: string[];
}

async function open(place: Place, allowRequest: AllowRequest): Promise<Open> {
  const io = createServer({ allowRequest: allowRequest as never });
  const { url, close } = await start(place, io);
  onDispose(close);
  const opened: string[] = [];
  io.engine.on("connection", (conn: { transport: { name: string } }) => {
    opened.push(conn.transport.name);
  });
  return { io, url, opened };
}

const PATH = "/socket.io/?EIO=4&transport=";

/** What a client is told on long-polling. */
async function pollingAnswer(url: string): Promise<[status: number, body: unknown]> {
  const { status, body } = await request(url, `${PATH}polling`);
  return [status, status === 200 ? "opened" : JSON.parse(body)];
}

/** Resolves whether a websocket is upgraded. */
function upgrades(url: string): Promise<boolean> {
  const socket = new WebSocket(`${url.replace("http", "ws")}${PATH}websocket`);
  onDispose(() => socket.close());
  return new Promise((resolve) => {
    socket.on("open", () => resolve(true));
    socket.on("error", () => resolve(false));
  });
}

/** Ways to refuse, and the reason that is told on long-polling. */
const refusals: Record<string, [AllowRequest, message: string]> = {
  "with a reason": [(_request, callback) => callback("not you", false), "not you"],
  "without a reason": [(_request, callback) => callback(null, false), "Forbidden"],
  "by an error": [(_request, callback) => callback(new Error("internal")), "Forbidden"],
  "by an error, and a yes": [(_request, callback) => callback("odd", true), "odd"],
  "by nothing": [(_request, callback) => callback(), "Forbidden"],
  "later": [(_request, callback) => setTimeout(() => callback("late", false)), "late"],
  "asynchronously": [
    async (_request, callback) => {
      await Promise.resolve();
      callback("not you", false);
    },
    "not you",
  ],
  "and then twice otherwise": [
    (_request, callback) => {
      callback("not you", false);
      callback(null, true);
      setTimeout(() => callback(null, true));
    },
    "not you",
  ],
};

const approvals: Record<string, AllowRequest> = {
  "at once": (_request, callback) => callback(null, true),
  "asynchronously": async (_request, callback) => {
    await Promise.resolve();
    callback(null, true);
  },
  "twice, and then otherwise": (_request, callback) => {
    callback(null, true);
    callback(null, true);
    callback("not you", false);
    setTimeout(() => callback(null, true));
  },
};

const failures: Record<string, AllowRequest> = {
  throws: () => {
    throw new Error("internal");
  },
  rejects: () => Promise.reject(new Error("internal")),
  "throws nothing": () => {
    throw undefined;
  },
};

/** Has `console.error` remember what it is told. */
function catchErrors(): unknown[][] {
  const { error } = console;
  const printed: unknown[][] = [];
  console.error = (...args) => printed.push(args);
  onDispose(() => console.error = error);
  return printed;
}

describe("allowRequest, under serve", () => {
  disposeAfterEach();

  for (const place of engineOnly) {
    for (const [how, [allowRequest, message]] of Object.entries(refusals)) {
      it(`refuses ${how} (${place.name})`, async () => {
        const { url, opened } = await open(place, allowRequest);
        assertEquals(await pollingAnswer(url), [403, { code: 4, message }]);
        assertEquals(await upgrades(url), false);
        assertEquals(opened, []);
      });
    }

    for (const [how, allowRequest] of Object.entries(approvals)) {
      it(`allows ${how} (${place.name})`, async () => {
        const { url, opened } = await open(place, allowRequest);
        assertEquals(await pollingAnswer(url), [200, "opened"]);
        assertEquals(await upgrades(url), true);
        assertEquals(opened, ["polling", "websocket"]);
      });
    }

    for (const [how, allowRequest] of Object.entries(failures)) {
      it(`that ${how} refuses, and is printed (${place.name})`, async () => {
        const printed = catchErrors();
        const { url, opened } = await open(place, allowRequest);
        assertEquals(await pollingAnswer(url), [403, { code: 4, message: "Forbidden" }]);
        assertEquals(await upgrades(url), false);
        assertEquals(opened, []);
        const [text] = printed[0]!;
        assertEquals([text, printed.length], [
          "socketio-auth: unexpected error during allowRequest:",
          2,
        ]);
      });
    }

    it(`has to be a function (${place.name})`, async () => {
      const io = createServer({ allowRequest: "yes" as never });
      await assertRejects(() => start(place, io), TypeError, "allowRequest must be a function");
    });

    it(`goes on where a client breaks off meanwhile (${place.name})`, async () => {
      const log = new EventQueue();
      const { url } = await open(place, (_request, callback) => log.push("asked", callback));
      const { port, hostname } = new URL(url);
      const socket: TcpSocket = connect(Number(port), hostname);
      socket.write([
        `GET ${PATH}websocket HTTP/1.1`,
        "Host: localhost",
        "Connection: Upgrade",
        "Upgrade: websocket",
        "Sec-WebSocket-Key: x3JJHMbDL1EzLkh9GBhXDw==",
        "Sec-WebSocket-Version: 13\r\n\r\n",
      ].join("\r\n"));
      const [callback] = await log.next("asked") as [Callback];
      socket.resetAndDestroy();
      await once(socket, "close");
      // Another request: by its answer the server has noticed.
      const next = request(url, `${PATH}polling`);
      const [nextCallback] = await log.next("asked") as [Callback];
      callback(null, true);
      nextCallback(null, true);
      assertEquals((await next).status, 200);
    });
  }

  for (const place of places) {
    it(`is asked once for each transport, about the same request (${place.name})`, async () => {
      const asked: object[] = [];
      const { io, url } = await open(place, (request, callback) => {
        const { url, method, headers, socket: { remoteAddress } } = request;
        asked.push({ url, method, headers, remoteAddress });
        callback(null, true);
      });
      const said = new Promise<void>((resolve) => {
        io.on("connection", (socket) => void socket.on("say", () => resolve()));
      });
      const client = openClient(place, url, { headers: { "x-test": "1", origin: "http://a.b" } });
      if (place.upgrades) {
        await new Promise<void>((resolve) =>
          client.socket.io.engine.once("upgrade", () => resolve())
        );
      }
      await client.next("connect");
      client.emit("say");
      await said;
      assertEquals(asked.length, 1);
      const [{ url: path, method, headers, remoteAddress }] = asked as [
        AskedRequest & { remoteAddress?: string },
      ];
      const { pathname, searchParams } = new URL(path, "http://localhost");
      assertEquals([path[0], pathname, searchParams.get("transport"), method], [
        "/",
        "/socket.io/",
        place.transport.transports[0]!,
        "GET",
      ]);
      assertEquals([headers["x-test"], headers.origin, headers.host], [
        "1",
        "http://a.b",
        new URL(url).host,
      ]);
      assertEquals(remoteAddress, "127.0.0.1");
    });
  }
});
