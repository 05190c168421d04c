// Pages of several origins in a real browser, which sends the server's cookie for all of them.
import { assertEquals, describe } from "#testing";
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import type { Page } from "playwright-core";
import { cookies } from "../../mod.ts";
import { inBrowser, openContext, shareBrowser, unhurried } from "../kit/browser.ts";
import { disposeAfterEach, onDispose } from "../kit/disposal.ts";
import { engineOnly, type Place } from "../kit/targets.ts";
import { openWorld } from "../kit/world.ts";

const PATH = "/socket.io/?EIO=4&transport=";

/** What a page tries, in the page: it connects, and resolves with all that it receives. */
const ways: Record<string, (address: string) => Promise<string>> = {
  websocket: (address) =>
    new Promise((resolve) => {
      const socket = new WebSocket(`${address.replace("http", "ws")}websocket`);
      let received = "";
      socket.onmessage = ({ data }) => {
        received += data;
        if (data[0] === "0") socket.send("40");
        // The answer to this comes behind everything else.
        if (data.startsWith("40")) socket.send('420["authentication"]');
        if (data.startsWith("43")) resolve(received);
      };
    }),
  polling: async (address) => {
    const get = async (query: string) =>
      await (await fetch(`${address}polling${query}`, { credentials: "include" })).text();
    const [, sid] = /"sid":"([^"]+)"/.exec(await get(""))!;
    for (const body of ["40", '420["authentication"]']) {
      await fetch(`${address}polling&sid=${sid}`, {
        ...{ method: "POST", credentials: "include", mode: "no-cors" },
        body,
      });
    }
    let received = "";
    while (!received.includes("430[")) received += await get(`&sid=${sid}`);
    return received;
  },
  script: async (address) => {
    const page = globalThis as unknown as { ___eio: ((text: string) => void)[] };
    const get = (query: string) =>
      new Promise<string>((resolve, reject) => {
        page.___eio = [resolve];
        const script = document.createElement("script");
        script.onerror = () => reject(new Error("no script"));
        script.src = `${address}polling&j=0${query}`;
        document.head.append(script);
      });
    const [, sid] = /"sid":"([^"]+)"/.exec(await get(""))!;
    for (const packet of ["40", '420["authentication"]']) {
      const frame = document.createElement("iframe");
      frame.name = "answer";
      const form = document.createElement("form");
      Object.assign(form, { method: "POST", target: "answer" });
      form.action = `${address}polling&j=0&sid=${sid}`;
      const field = document.createElement("textarea");
      field.name = "d";
      field.value = packet;
      form.append(field);
      document.body.append(frame, form);
      const sent = new Promise((resolve) => frame.onload = resolve);
      form.submit();
      await sent;
      frame.remove();
    }
    let received = "";
    while (!received.includes("430[")) received += await get(`&sid=${sid}`);
    return received;
  },
};

/** Serves an empty page on a port of its own: another origin, to whose requests cookies are added. */
async function openSite(host: string): Promise<string> {
  const http = createServer((_request, response) => {
    response.setHeader("content-type", "text/html").end("<!doctype html><body></body>");
  });
  http.listen(0, "127.0.0.1");
  await once(http, "listening");
  onDispose(() => {
    http.closeAllConnections();
    http.close();
  });
  return `http://${host}:${(http.address() as AddressInfo).port}`;
}

/** Which of the ways sign in, from a page. */
async function signsIn(page: Page, server: string, names: string[]): Promise<object> {
  const results: Record<string, boolean> = {};
  for (const name of names) {
    const received = await page.evaluate(ways[name]!, `${server}${PATH}`);
    results[name] = received.includes("authenticated");
  }
  return results;
}

/** Without CORS in the way, which is no protection. */
const cors = { origin: [/./], credentials: true };

const verify = (_socket: unknown, { session }: { session: string }) => ({ id: session });

/** A function for `handshake` that looks at nothing but the cookie. */
const careless = ({ headers }: { headers: { cookie?: string } }) => {
  const [, session] = /session=(\w+)/.exec(headers.cookie ?? "") ?? [];
  return session && { session };
};

/** A server, and two pages with its cookie: one of the named origin, and another. */
async function open(
  place: Place,
  host: string,
  handshakeFor: (named: string) => unknown,
): Promise<{ server: string; named: Page; other: Page }> {
  const origins = await Promise.all([openSite(host), openSite(host)]);
  const handshake = handshakeFor(origins[0]) as () => unknown;
  const world = await openWorld(place, { handshake, verify }, { server: { cors } });
  const context = await openContext();
  await context.addCookies([{ name: "session", value: "ada", domain: host, path: "/" }]);
  const [named, other] = [await context.newPage(), await context.newPage()];
  await named.goto(origins[0]);
  await other.goto(origins[1]);
  return { server: world.url.replace("127.0.0.1", host), named, other };
}

/** Browsers send `Sec-Fetch-Site` to the first, and not to the other, which is not secure. */
const HOSTS = ["localhost", "app.test"];

const only = (named: string) => cookies("session", { origins: [named] });

describe("pages in a browser", () => {
  shareBrowser();
  disposeAfterEach();

  const wheres = engineOnly.flatMap((place) => HOSTS.map((host) => ({ place, host })));
  for (const { place, host } of wheres) {
    // Without JSONP, which bun-engine does not have, nothing depends on the header.
    if (place.engine === "bun-engine" && host !== "localhost") continue;
    const where = `${host}, ${place.name}`;
    const scriptless = place.engine === "node:http" ? { script: false } : {};
    const all: object = {
      websocket: true,
      polling: true,
      ...place.engine === "node:http" && { script: true },
    };
    const none: object = { websocket: false, polling: false, ...scriptless };
    const names = Object.keys(all);

    inBrowser(`get in by any page's cookie if nobody asks (${where})`, unhurried, async () => {
      const { server, other } = await open(place, host, () => careless);
      assertEquals(await signsIn(other, server, names), all);
    });

    inBrowser(
      `of another origin do not get in by cookies() (${where})`,
      unhurried,
      async () => {
        const { server, other } = await open(place, host, only);
        assertEquals(await signsIn(other, server, names), none);
      },
    );

    inBrowser(
      `of the named origin do, but not by a script (${where})`,
      unhurried,
      async () => {
        const { server, named } = await open(place, host, only);
        assertEquals(await signsIn(named, server, names), { ...all, ...scriptless });
      },
    );

    inBrowser(`of the server's own host do, with "same" (${where})`, unhurried, async () => {
      const { server, other } = await open(
        place,
        host,
        () => cookies("session", { origins: "same" }),
      );
      assertEquals(await signsIn(other, server, names), none);
      // Whatever the server answers is a page of its origin.
      await other.goto(`${server}${PATH}polling`);
      // Without `Sec-Fetch-Site` its scripts are like those of any page.
      const expected = host === "localhost" ? all : { ...all, ...scriptless };
      assertEquals(await signsIn(other, server, names), expected);
    });
  }
});
