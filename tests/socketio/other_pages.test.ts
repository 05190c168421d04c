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
async function openSite(): Promise<string> {
  const http = createServer((_request, response) => {
    response.setHeader("content-type", "text/html").end("<!doctype html><body></body>");
  });
  http.listen(0, "127.0.0.1");
  await once(http, "listening");
  onDispose(() => {
    http.closeAllConnections();
    http.close();
  });
  return `http://localhost:${(http.address() as AddressInfo).port}`;
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
  handshakeFor: (named: string) => unknown,
): Promise<{ server: string; named: Page; other: Page }> {
  const origins = await Promise.all([openSite(), openSite()]);
  const handshake = handshakeFor(origins[0]) as () => unknown;
  const world = await openWorld(place, { handshake, verify }, { server: { cors } });
  const context = await openContext();
  await context.addCookies([{ name: "session", value: "ada", domain: "localhost", path: "/" }]);
  const [named, other] = [await context.newPage(), await context.newPage()];
  await named.goto(origins[0]);
  await other.goto(origins[1]);
  return { server: world.url.replace("127.0.0.1", "localhost"), named, other };
}

const only = (named: string) => cookies("session", { origins: [named] });

describe("pages in a browser", () => {
  shareBrowser();
  disposeAfterEach();

  for (const place of engineOnly) {
    // bun-engine has no JSONP.
    const names = Object.keys(ways).filter((name) =>
      name !== "script" || place.engine === "node:http"
    );
    const all = Object.fromEntries(names.map((name) => [name, true]));
    const none = Object.fromEntries(names.map((name) => [name, false]));

    inBrowser(`get in by any page's cookie if nobody asks (${place.name})`, unhurried, async () => {
      const { server, other } = await open(place, () => careless);
      assertEquals(await signsIn(other, server, names), all);
    });

    inBrowser(
      `of another origin do not get in by cookies() (${place.name})`,
      unhurried,
      async () => {
        const { server, other } = await open(place, only);
        assertEquals(await signsIn(other, server, names), none);
      },
    );

    inBrowser(
      `of the named origin do, but not by a script (${place.name})`,
      unhurried,
      async () => {
        const { server, named } = await open(place, only);
        const expected = place.engine === "node:http" ? { ...all, script: false } : all;
        assertEquals(await signsIn(named, server, names), expected);
      },
    );

    inBrowser(`of the server's own host do, with "same" (${place.name})`, unhurried, async () => {
      const { server, other } = await open(place, () => cookies("session", { origins: "same" }));
      assertEquals(await signsIn(other, server, names), none);
      // Whatever the server answers is a page of its origin.
      await other.goto(`${server}${PATH}polling`);
      assertEquals(await signsIn(other, server, names), all);
    });
  }
});
