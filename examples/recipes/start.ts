/**
 * Starts a recipe: `npm run example -- login-form`.
 *
 * @module
 */
import { once } from "node:events";
import { existsSync, readdirSync } from "node:fs";
import type { Server as HttpServer } from "node:http";
import type { AddressInfo } from "node:net";
import { env } from "node:process";
import type { Server } from "socket.io";
import { servePage } from "./page.ts";

const names = readdirSync(import.meta.dirname)
  .filter((file) => /^[\w-]+\.ts$/.test(file) && !["start.ts", "page.ts"].includes(file))
  .map((file) => file.slice(0, -3));
const [name = ""] = process.argv.slice(2);

if (!names.includes(name)) {
  console.log(`Which one? npm run example -- NAME, where NAME is ${names.join(", ")}`);
} else {
  const { start } = await import(`./${name}.ts`) as { start(port: number): Server };
  const io = await start(Number(env.PORT ?? 3000));
  if (existsSync(new URL(`${name}.html`, import.meta.url))) await servePage(io, name);
  const { httpServer: http } = io as unknown as { httpServer: HttpServer };
  if (!http.listening) await once(http, "listening");
  const { port } = http.address() as AddressInfo;
  console.log(`http://localhost:${port} is ${name}; docs/recipes/${name}.md says what it does.`);
}
