import { readFileSync } from "node:fs";
import type { Server as HttpServer } from "node:http";
import { fileURLToPath } from "node:url";
import { build, stop } from "esbuild";
import type { Server } from "socket.io";

/** Serves the page of a recipe, `NAME.html`, with its script, `NAME.page.ts`. */
export async function servePage(io: Server, name: string): Promise<void> {
  const html = readFileSync(new URL(`${name}.html`, import.meta.url));
  const script = await bundle(fileURLToPath(new URL(`${name}.page.ts`, import.meta.url)));
  const { httpServer: http } = io as unknown as { httpServer: HttpServer };
  http.on("request", ({ url = "" }, response) => {
    if (url.startsWith("/socket.io/")) return;
    const isScript = url === "/page.js";
    response.setHeader("content-type", isScript ? "text/javascript" : "text/html; charset=utf-8");
    response.end(isScript ? script : html);
  });
}

async function bundle(path: string): Promise<string> {
  try {
    const { outputFiles } = await build({
      entryPoints: [path],
      bundle: true,
      format: "esm",
      write: false,
    });
    return outputFiles[0]!.text;
  } finally {
    await stop();
  }
}
