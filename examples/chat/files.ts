import { readFile } from "node:fs/promises";
import type { RequestListener } from "node:http";

/** All there is to serve. A path that is not a key here does not exist. */
const files = {
  "/": ["index.html", "text/html; charset=utf-8"],
  "/chat.js": ["chat.js", "text/javascript; charset=utf-8"],
  "/chat.css": ["chat.css", "text/css; charset=utf-8"],
} as const;

const headers = {
  // Trusted Types make the browser refuse any attempt to write HTML from the
  // script: what others type is text, and stays text.
  "content-security-policy": [
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "connect-src 'self'",
    "img-src data:",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
    "require-trusted-types-for 'script'",
  ].join("; "),
  "cache-control": "no-cache",
  "referrer-policy": "no-referrer",
  "x-content-type-options": "nosniff",
};

/** Answers requests for the page, which is told how long a client may stay silent. */
export async function createFileHandler(timeout: number): Promise<RequestListener> {
  const pages = new Map<string, { type: string; body: string }>();
  for (const [path, [name, type]] of Object.entries(files)) {
    const body = await readFile(new URL(`./public/${name}`, import.meta.url), "utf8");
    pages.set(path, { type, body: body.replaceAll("{{timeout}}", String(timeout)) });
  }

  return (request, response) => {
    const [path = ""] = request.url?.split("?") ?? [];
    const page = pages.get(path);
    response.writeHead(page ? 200 : 404, {
      ...headers,
      "content-type": page?.type ?? "text/plain",
    });
    response.end(page?.body ?? "Not found\n");
  };
}
