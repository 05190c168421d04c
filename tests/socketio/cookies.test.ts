import { assert, assertEquals, assertThrows, describe, it } from "#testing";
import type { AddressInfo } from "node:net";
import { connect as connectHttp2, createServer as createHttp2 } from "node:http2";
import type { Socket } from "socket.io";
import { WebSocket } from "ws";
import { cookies, socketioAuth } from "../../mod.ts";
import { openClient } from "../kit/client.ts";
import { disposeAfterEach, onDispose } from "../kit/disposal.ts";
import { EventQueue } from "../kit/events.ts";
import { type HeaderList, request } from "../kit/request.ts";
import { createServer, engineOnly, type Place, places } from "../kit/targets.ts";
import { openWorld, type World } from "../kit/world.ts";

const NAMED = "https://app.example";
const OTHER = "https://evil.example";

/** What is found in a `Cookie` header. */
function find(names: string | string[], cookie?: string): unknown {
  const headers = cookie === undefined ? {} : { cookie };
  return cookies(names, { origins: "any" })({ headers, query: {} });
}

describe("the cookies that are found", () => {
  it("are those of the names, and of no other", () => {
    assertEquals(find("session", "a=1; session=2; b=3"), { session: "2" });
    assertEquals(find(["session", "csrf", "other"], "csrf=1;session=2"), {
      csrf: "1",
      session: "2",
    });
  });

  it("are nothing if none is there", () => {
    for (const header of [undefined, "", "a=1", "session", "session;", ";;=;", "=session"]) {
      assertEquals(find("session", header), undefined, header);
    }
  });

  it("have exactly that name", () => {
    assertEquals(find("session", "\tsession =1"), { session: "1" });
    const others = [
      "not-session=1",
      "Session=1",
      "session2=1",
      "my session=1",
      "a=session=1",
      "%73ession=1",
      "sessionx",
    ];
    for (const header of others) assertEquals(find("session", header), undefined, header);
  });

  it("have no name that some page has made to look like it", () => {
    for (const blank of ["\xa0", "\x85", "\u2000", "\ufeff", "\x0b", "\x0c"]) {
      assertEquals(find("__Host-session", `${blank}__Host-session=evil`), undefined);
      assertEquals(find("__Host-session", `__Host-session${blank}=evil`), undefined);
    }
  });

  it("are the first of their name", () => {
    assertEquals(find("session", "session=1; session=2"), { session: "1" });
    assertEquals(find("session", "session=; session=2"), { session: "" });
  });

  it("are decoded, without quotes, and as they are if they cannot be decoded", () => {
    const values = {
      "a%20b%3D%22": 'a b="',
      '"quoted value"': "quoted value",
      '"a%3Bb"': "a;b",
      '"': '"',
      '""': "",
      '"open': '"open',
      "s%3Aid.sig%2Fna+ture==": "s:id.sig/na+ture==",
      "100%": "100%",
      "%E0%A4%A": "%E0%A4%A",
      " \t spaced \t ": "spaced",
    };
    for (const [value, decoded] of Object.entries(values)) {
      assertEquals(find("session", `session=${value}; a=1`), { session: decoded }, value);
    }
  });

  it("are own properties, whatever their names", () => {
    const names = ["__proto__", "constructor", "toString"];
    const found = find(names, "constructor=1; __proto__=2") as object;
    assertEquals(Object.keys(found).sort(), ["__proto__", "constructor"]);
    assertEquals(Object.getOwnPropertyDescriptor(found, "__proto__")?.value, "2");
    assert(Object.getPrototypeOf(found) === Object.prototype);
    assertEquals(find(names, "a=1"), undefined);
  });

  it("do not take long to find in blanks", () => {
    const start = performance.now();
    find("session", `session=${" ".repeat(200_000)}x${" ".repeat(200_000)}`);
    assert(performance.now() - start < 5000);
  });
});

describe("cookies()", () => {
  // deno-lint-ignore no-explicit-any -- as an application in JavaScript may call it
  const call = cookies as (...args: any[]) => unknown;

  const wrong: [args: unknown[], includes: string][] = [
    [[], "first argument"],
    [["", { origins: "any" }], "name of a cookie"],
    [[[], { origins: "any" }], "name of a cookie"],
    [[["a", 5], { origins: "any" }], "name of a cookie"],
    [["a=b", { origins: "any" }], "name of a cookie"],
    [["a; b", { origins: "any" }], "name of a cookie"],
    [[" a", { origins: "any" }], "name of a cookie"],
    [["a"], "an object { origins }"],
    [["a", "same"], "an object { origins }"],
    [["a", {}], "a list of the pages' origins"],
    [["a", { origins: undefined }], "a list of the pages' origins"],
    [["a", { origins: [] }], "a list of the pages' origins"],
    [["a", { origins: "*" }], "a list of the pages' origins"],
    [["a", { origins: NAMED }], "a list of the pages' origins"],
    [["a", { origins: /app/ }], "a list of the pages' origins"],
    [["a", { origins: "any", origin: NAMED }], 'no option "origin"'],
    ...[
      "",
      "*",
      "same",
      "null",
      "app.example",
      "localhost:3000",
      "https://*.app.example",
      "https://app.example/path",
      "https://app.example?",
      "https://app.example/#",
      "https://ada@app.example",
      "https://app.example:99999",
      "wss://app.example",
      "file://",
      /app/,
      5,
      undefined,
    ].map((entry): [unknown[], string] => [["a", { origins: [NAMED, entry] }], "origin of a page"]),
  ];
  for (const [args, includes] of wrong) {
    it(`says at once what is wrong with ${JSON.stringify(args)}`, () => {
      assertThrows(() => call(...args), TypeError, includes);
    });
  }
});

/** A request, by its headers and query; `cookie` apart. */
interface Case {
  readonly origins: "same" | "any" | readonly string[];
  readonly headers: Record<string, string>;
  readonly query?: string;
  readonly isTaken: boolean;
}

const list = [NAMED];
const site = (name: string) => ({ "sec-fetch-site": name });

/** What requests bring that open long-polling. */
const cases: Record<string, Case> = {
  "a page of the list": { origins: list, headers: { origin: NAMED }, isTaken: true },
  "a page of the list, of another site": {
    origins: list,
    headers: { origin: NAMED, ...site("cross-site") },
    isTaken: true,
  },
  "another page": { origins: list, headers: { origin: OTHER }, isTaken: false },
  "another page of the same site": {
    origins: list,
    headers: { origin: "https://blog.app.example", ...site("same-site") },
    isTaken: false,
  },
  "another page that claims to be of the same origin": {
    origins: list,
    headers: { origin: OTHER, ...site("same-origin") },
    isTaken: false,
  },
  "another scheme": { origins: list, headers: { origin: "http://app.example" }, isTaken: false },
  "another port": { origins: list, headers: { origin: `${NAMED}:8443` }, isTaken: false },
  "a longer host": { origins: list, headers: { origin: `${NAMED}.evil.example` }, isTaken: false },
  "no origin, by name": { origins: list, headers: { origin: "null" }, isTaken: false },
  "several origins": { origins: list, headers: { origin: `${NAMED}, ${OTHER}` }, isTaken: false },
  "an entry in capitals, with a port and a slash": {
    origins: ["HTTPS://App.Example:443/"],
    headers: { origin: NAMED },
    isTaken: true,
  },
  "a page of an application's own scheme": {
    origins: ["Capacitor://LocalHost/"],
    headers: { origin: "capacitor://localhost" },
    isTaken: true,
  },
  "a page of the host": {
    origins: "same",
    headers: { origin: NAMED, host: "app.example" },
    isTaken: true,
  },
  "a page of the host, whose port is named": {
    origins: "same",
    headers: { origin: NAMED, host: "App.Example:443" },
    isTaken: true,
  },
  "a page of the host, with a port": {
    origins: "same",
    headers: { origin: "http://localhost:3000", host: "localhost:3000" },
    isTaken: true,
  },
  "a page of the host, at another port": {
    origins: "same",
    headers: { origin: "http://localhost:5173", host: "localhost:3000" },
    isTaken: false,
  },
  "a page of the host's name as another scheme's port": {
    origins: "same",
    headers: { origin: NAMED, host: "app.example:80" },
    isTaken: false,
  },
  "a page of another host": {
    origins: "same",
    headers: { origin: OTHER, host: "app.example" },
    isTaken: false,
  },
  "a page that a proxy makes one of the host": {
    origins: "same",
    headers: { origin: NAMED, host: "app.example", ...site("cross-site") },
    isTaken: false,
  },
  "no origin, by name, of the host": {
    origins: "same",
    headers: { origin: "null", host: "null" },
    isTaken: false,
  },
  "a page of another scheme of the host": {
    origins: "same",
    headers: { origin: "capacitor://app.example", host: "app.example" },
    isTaken: false,
  },
  "any page": { origins: "any", headers: { origin: OTHER }, isTaken: true },
  "any page, of another site": {
    origins: "any",
    headers: { origin: OTHER, ...site("cross-site") },
    isTaken: true,
  },
  "a script on any page": {
    origins: "any",
    headers: site("cross-site"),
    query: "&j=0",
    isTaken: false,
  },
  "a request of the own page": { origins: list, headers: site("same-origin"), isTaken: true },
  "JSONP of the own page": {
    origins: list,
    headers: site("same-origin"),
    query: "&j=0",
    isTaken: true,
  },
  "a navigation": { origins: list, headers: site("none"), isTaken: true },
  "a navigation from another site": { origins: list, headers: site("cross-site"), isTaken: false },
  "a script of the same site": { origins: list, headers: site("same-site"), isTaken: false },
  "two values of Sec-Fetch-Site": {
    origins: list,
    headers: site("none, cross-site"),
    isTaken: false,
  },
  "an old browser, or none": { origins: list, headers: {}, isTaken: true },
  "a script in an old browser": { origins: list, headers: {}, query: "&j=0", isTaken: false },
  "a script, with the parameter twice": {
    origins: list,
    headers: {},
    query: "&j=1&j=",
    isTaken: false,
  },
  "a script, with the parameter encoded": {
    origins: list,
    headers: {},
    query: "&%6a=0",
    isTaken: false,
  },
};

describe("a request without an Origin", () => {
  const find = cookies("session", { origins: "same" });
  const upgrade = { upgrade: "WebSocket" };
  const requests: [query: object, headers: object, isWebSocket: boolean][] = [
    [{ transport: "websocket", j: "0" }, upgrade, true],
    // bun-engine opens long-polling for it.
    [{ transport: "websocket", j: "0" }, {}, false],
    [{ transport: "websocket", j: "0" }, { upgrade: "h2c" }, false],
    [{ transport: "polling", j: "0" }, upgrade, false],
    [{ j: "0" }, upgrade, false],
  ];
  for (const [query, headers, isWebSocket] of requests) {
    const given = JSON.stringify({ ...query, ...headers });
    it(`is ${isWebSocket ? "" : "not "}a websocket's: ${given}`, () => {
      const found = find({ query, headers: { cookie: "session=1", ...headers } });
      assertEquals(found, isWebSocket ? { session: "1" } : undefined);
    });
  }
});

describe("a request without a Host", () => {
  it("is of no page of the host", () => {
    const find = cookies("session", { origins: "same" });
    const headers = { cookie: "session=1", origin: "https://undefined" };
    assertEquals(find({ headers, query: {} }), undefined);
  });
});

const PATH = "/socket.io/?EIO=4";

/** A long-polling transport, as a page opens it. */
class Polling {
  readonly #url: string;
  readonly #path: string;
  readonly #isJsonp: boolean;

  private constructor(url: string, path: string, isJsonp: boolean) {
    this.#url = url;
    this.#path = path;
    this.#isJsonp = isJsonp;
  }

  static async open(
    url: string,
    query = "",
    headers: HeaderList = [],
    name = "polling",
  ): Promise<Polling> {
    const path = `${PATH}&transport=${name}${query}`;
    const { body } = await request(url, path, { headers });
    const [, sid] = /sid\\?":\\?"([^"\\]+)/.exec(body)!;
    return new Polling(url, `${path}&sid=${sid}`, body.startsWith("___eio"));
  }

  get sid(): string {
    return new URL(this.#path, this.#url).searchParams.get("sid")!;
  }

  /** Sends packets, as a form does in the case of JSONP. */
  async send(...packets: string[]): Promise<void> {
    const text = packets.join("\x1e");
    const headers: HeaderList = [["Content-Type", "application/x-www-form-urlencoded"]];
    await request(
      this.#url,
      this.#path,
      this.#isJsonp ? { headers, body: `d=${encodeURIComponent(text)}` } : { body: text },
    );
  }

  async poll(): Promise<string> {
    return (await request(this.#url, this.#path)).body;
  }
}

const verify = (_socket: unknown, { session }: { session: string }) => ({ id: session });

/** A server that signs in by a cookie. */
function openCookieWorld(place: Place, origins: Case["origins"]): Promise<World> {
  const handshake = cookies("session", { origins });
  return openWorld(place, { handshake, verify }, { setUp: (io) => io.of("/other") });
}

/** Sockets that are signed in, and those that are not. */
function counts({ auth }: World): [authenticated: number, pending: number] {
  const { authenticated, pending } = auth.stats();
  return [authenticated, pending];
}

describe("cookies of a request that opens long-polling", () => {
  disposeAfterEach();

  for (const place of places.filter(({ name }) => name.endsWith(", polling"))) {
    for (const [what, { origins, headers, query, isTaken }] of Object.entries(cases)) {
      it(`are ${isTaken ? "" : "not "}taken of: ${what} (${place.name})`, async () => {
        const world = await openCookieWorld(place, origins);
        const all = Object.entries({ cookie: "session=ada", ...headers });
        const client = await Polling.open(world.url, query, all);
        await client.send("40");
        await client.poll();
        assertEquals(counts(world), isTaken ? [1, 0] : [0, 1]);
      });
    }

    it(`are those of several headers (${place.name})`, async () => {
      const world = await openCookieWorld(place, "any");
      const headers: HeaderList = [["Cookie", "a=1"], ["Cookie", "session=ada"], ["Cookie", "b=2"]];
      const client = await Polling.open(world.url, "", headers);
      await client.send("40");
      const [socket] = await world.log.next("connection") as [Socket];
      assertEquals(world.auth.session(socket)!.userId, "ada");
    });

    it(`are those of a websocket only if it is one (${place.name})`, async () => {
      // bun-engine opens long-polling for it; Engine.IO refuses.
      const world = await openCookieWorld(place, [NAMED]);
      const headers: HeaderList = [["Cookie", "session=ada"]];
      const path = `${PATH}&transport=websocket&j=0`;
      const { status } = await request(world.url, path, { headers });
      if (place.engine === "node:http") return assertEquals(status, 400);
      const client = await Polling.open(world.url, "&j=0", headers, "websocket");
      await client.send("40");
      await client.poll();
      assertEquals(counts(world), [0, 1]);
    });
  }
});

describe("cookies of a websocket", () => {
  disposeAfterEach();

  for (const place of engineOnly) {
    const websockets: Record<string, [headers: Record<string, string>, isTaken: boolean]> = {
      "a page of the list": [{ origin: NAMED }, true],
      "a page of the list, of another site": [{ origin: NAMED, ...site("cross-site") }, true],
      "another page": [{ origin: OTHER }, false],
      "a page without an origin": [{ origin: "null" }, false],
      "no page": [{}, true],
      "no page, from another site": [site("cross-site"), false],
    };
    for (const [what, [headers, isTaken]] of Object.entries(websockets)) {
      it(`are ${isTaken ? "" : "not "}taken of: ${what} (${place.name})`, async () => {
        const world = await openCookieWorld(place, [NAMED]);
        const client = openClient(place, `${world.url}`, {
          headers: { cookie: "session=ada", ...headers },
        });
        await client.next("connect");
        if (isTaken) await client.next("authenticated");
        assertEquals(counts(world), isTaken ? [1, 0] : [0, 1]);
      });
    }

    it(`are taken of no page, whatever the query says (${place.name})`, async () => {
      const world = await openCookieWorld(place, [NAMED]);
      const wire = new Wire(world.url, "&j=0", { cookie: "session=ada" });
      await wire.next("0");
      wire.send("40");
      await wire.next("42");
      assertEquals(counts(world), [1, 0]);
    });
  }
});

/** A websocket with headers of its own; its packets are events. */
class Wire extends EventQueue {
  readonly #socket: WebSocket;

  constructor(url: string, query: string, headers: Record<string, string>) {
    super();
    const address = `${url.replace("http", "ws")}${PATH}&transport=websocket${query}`;
    this.#socket = new WebSocket(address, { headers });
    this.#socket.on("open", () => this.push("open"));
    this.#socket.on("message", (data) => {
      const [, type = "?", rest] = /^(\d[a-z]*\d?)(.*)$/s.exec(`${data}`) ?? [];
      this.push(type, rest);
    });
    onDispose(() => this.#socket.close());
  }

  send(packet: string): void {
    this.#socket.send(packet);
  }
}

describe("cookies of another page", () => {
  disposeAfterEach();

  const evil: HeaderList = [["Cookie", "session=ada"], ["Origin", OTHER]];
  const script: HeaderList = [["Cookie", "session=ada"]];

  for (const place of places.filter(({ upgrades }) => upgrades)) {
    const openings: Record<string, [query: string, headers: HeaderList]> = {
      "an XMLHttpRequest": ["", evil],
      "a script": ["&j=0", script],
    };
    for (const [what, [query, headers]] of Object.entries(openings)) {
      it(`are not taken later of what ${what} has opened (${place.name})`, async () => {
        const world = await openCookieWorld(place, [NAMED]);
        const polling = await Polling.open(world.url, query, headers);
        // A websocket of the named page, on the same transport.
        const wire = new Wire(world.url, `&sid=${polling.sid}`, {
          cookie: "session=ada",
          origin: NAMED,
        });
        await wire.next("open");
        wire.send("2probe");
        await wire.next("3probe");
        wire.send("5");
        wire.send("40");
        await wire.next("40");
        wire.send("40/other,");
        await wire.next("40");
        wire.send('420["authentication"]');
        const [answer] = await wire.next("43");
        assert(`${answer}`.includes("authentication_failed"));
        assertEquals([counts(world)[0], world.auth.stats().refused], [0, 1]);
      });
    }

    it(`do not get in by a form that fills what a script has opened (${place.name})`, async () => {
      const world = await openCookieWorld(place, [NAMED]);
      const jsonp = await Polling.open(world.url, "&j=0", script);
      await jsonp.send("40");
      assert((await jsonp.poll()).includes("40{"));
      await jsonp.send('420["authentication"]');
      assert((await jsonp.poll()).includes("authentication_failed"));
    });

    it(`are not there where the transport was opened without any (${place.name})`, async () => {
      const world = await openCookieWorld(place, "any");
      const polling = await Polling.open(world.url, "", [["Origin", OTHER]]);
      const path = `${PATH}&transport=polling&sid=${polling.sid}`;
      await request(world.url, path, { headers: script, body: "40" });
      await polling.poll();
      assertEquals(counts(world), [0, 1]);
    });
  }
});

describe("cookies of the named page", () => {
  disposeAfterEach();

  for (const place of places) {
    it(`sign in for all namespaces, and renew the session (${place.name})`, async () => {
      const world = await openCookieWorld(place, [NAMED]);
      const client = openClient(place, world.url, {
        headers: { cookie: "a=1; session=ada", origin: NAMED },
      });
      await client.next("authenticated");
      const [socket] = await world.log.next("connection") as [Socket];
      const { userId, authenticatedAt } = world.auth.session(socket)!;
      assertEquals(userId, "ada");
      await client.sibling("/other").next("authenticated");
      const outcome = await client.socket.emitWithAck("authentication");
      assertEquals(outcome, { ok: true, reply: true });
      assert(world.auth.session(socket)!.authenticatedAt >= authenticatedAt);
      assertEquals(counts(world), [2, 0]);
    });
  }
});

describe("cookies on their way to the verifier", () => {
  disposeAfterEach();

  for (const place of engineOnly) {
    it(`keep odd names as their own, and nothing else (${place.name})`, async () => {
      const log = new EventQueue();
      const { url } = await openWorld(place, {
        handshake: cookies(["__proto__", "constructor", "toString"], { origins: "any" }),
        verify: (_socket: unknown, credentials: object) => {
          log.push("asked", Object.entries(Object.getOwnPropertyDescriptors(credentials)));
          return true;
        },
      });
      openClient(place, url, { headers: { cookie: "toString=1; __proto__=2" } });
      const [entries] = await log.next("asked") as [[string, { value: unknown }][]];
      assertEquals(entries.map(([name, { value }]) => [name, value]), [
        ["toString", "1"],
        ["__proto__", "2"],
      ]);
    });
  }
});

describe("over HTTP/2", () => {
  disposeAfterEach();

  it("the host is the authority, and cookies may come in crumbs", async () => {
    const http = createHttp2();
    const io = createServer();
    io.attach(http);
    const log = new EventQueue();
    const auth = socketioAuth(io, { verify, handshake: cookies("session", { origins: "same" }) });
    io.on("connection", (socket) => log.push("user", auth.user(socket).id));
    http.listen(0, "127.0.0.1");
    await new Promise<void>((resolve) => http.once("listening", resolve));
    onDispose(() => io.close());
    const origin = `http://127.0.0.1:${(http.address() as AddressInfo).port}`;
    const session = connectHttp2(origin);
    onDispose(() => session.close());

    function ask(path: string, body?: string): Promise<string> {
      const stream = session.request({
        ":path": `${PATH}&transport=polling${path}`,
        ":method": body === undefined ? "GET" : "POST",
        cookie: ["a=1", "session=ada"],
        origin,
      });
      stream.setEncoding("utf8");
      return new Promise((resolve) => {
        let text = "";
        stream.on("data", (chunk) => text += chunk);
        stream.on("end", () => resolve(text));
        stream.end(body);
      });
    }
    const [, sid] = /"sid":"([^"]+)/.exec(await ask(""))!;
    await ask(`&sid=${sid}`, "40");
    assertEquals(await log.next("user"), ["ada"]);
  });
});
