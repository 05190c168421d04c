import { once } from "node:events";
import { type AddressInfo, connect as connectTo, createServer } from "node:net";
import { env } from "node:process";
import { assertEquals, describe, it } from "#testing";
import { start } from "../../examples/recipes/proxy.ts";
import { disposeAfterEach, onDispose } from "../kit/disposal.ts";
import { ask, codeOf, connect, open } from "./kit.ts";

/** The proxy has an address that direct clients have not. */
const PROXY = "127.0.0.2";
const COOKIE = { cookie: "session=session%20of%20ada" };
const ORIGIN = "https://app.example";

/**
 * A proxy as people run it: appends the client's address, which is `client`, to what the client
 * says, and asks for a host of its own.
 */
async function openProxy(backend: string, client: string): Promise<string> {
  const port = Number(new URL(backend).port);
  const server = createServer((inner) => {
    const outer = connectTo({ port, host: "127.0.0.1", localAddress: PROXY });
    inner.once("data", (data) => {
      const head = data.toString("latin1");
      const [, told] = /\r\nx-forwarded-for: (.*)\r\n/i.exec(head) ?? [];
      const appended = told ? `${told}, ${client}` : client;
      outer.write(
        head.replace(/\r\nx-forwarded-for: .*(?=\r\n)/i, "")
          .replace(/\r\nhost: .*(?=\r\n)/i, `\r\nHost: backend\r\nX-Forwarded-For: ${appended}`),
        "latin1",
      );
      inner.pipe(outer).pipe(inner);
    });
    for (const one of [inner, outer]) one.on("error", () => {});
    outer.on("close", () => inner.destroy());
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  onDispose(() => server.close());
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

async function openSite(): Promise<string> {
  env.PROXIES = PROXY;
  onDispose(() => delete env.PROXIES);
  const { start } = await import(`../../examples/recipes/proxy.ts?${crypto.randomUUID()}`);
  return await open(start(0));
}

/** Guesses once; what the client is told. */
async function guess(url: string, forwarded?: string): Promise<string> {
  const client = await connect(url, {
    headers: forwarded ? { "x-forwarded-for": forwarded } : {},
  });
  const outcome = await ask(client, "authentication", { session: "guess" });
  return (outcome as { code: string }).code;
}

describe("the recipe of a proxy in front", () => {
  disposeAfterEach();

  it("counts guesses by the client's address, whatever the client says it is", async () => {
    const backend = await openSite();
    const url = await openProxy(backend, "203.0.113.1");
    const codes: string[] = [];
    for (const forged of [undefined, "198.51.100.1", "198.51.100.2", "198.51.100.3"]) {
      codes.push(await guess(url, forged));
    }
    assertEquals(codes, [...Array(3).fill("authentication_failed"), "too_many_attempts"]);
    const other = await openProxy(backend, "203.0.113.2");
    assertEquals(await guess(other), "authentication_failed");
  });

  it("does not believe a client that goes past the proxy", async () => {
    const backend = await openSite();
    const codes: string[] = [];
    for (const forged of [1, 2, 3, 4]) codes.push(await guess(backend, `198.51.100.${forged}`));
    assertEquals(codes.at(-1), "too_many_attempts");
  });

  it("takes the cookies of the page in front of the proxy, and no other", async () => {
    const url = await openProxy(await open(start(0)), "203.0.113.1");
    const client = await connect(url, { origin: ORIGIN, headers: COOKIE });
    await client.next("authenticated");
    const elsewhere = await connect(url, { origin: "https://evil.example", headers: COOKIE });
    elsewhere.emit("authentication", {});
    assertEquals(await codeOf(elsewhere), "authentication_failed");
  });
});
