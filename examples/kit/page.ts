import { readFile } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import { bundle } from "./bundle.ts";

/** Creates a server for a page, whose script in TypeScript is its `/page.js`. */
export async function createPage(html: URL, script: URL): Promise<Server> {
  const files: Record<string, [type: string, body: string]> = {
    "/": ["text/html; charset=utf-8", await readFile(html, "utf8")],
    "/page.js": ["text/javascript; charset=utf-8", await bundle(script)],
  };
  return createServer((request, response) => {
    const [path = ""] = request.url?.split("?") ?? [];
    const [type, body] = Object.hasOwn(files, path) ? files[path]! : ["text/plain", "Not found\n"];
    response.writeHead(Object.hasOwn(files, path) ? 200 : 404, { "content-type": type });
    response.end(body);
  });
}
