import { readFile } from "node:fs/promises";
import type { RequestListener } from "node:http";
import type { Display } from "./authenticator.ts";
import { bundle } from "../kit/bundle.ts";

const HTML = "text/html; charset=utf-8";
const CSS = "text/css; charset=utf-8";
const JAVASCRIPT = "text/javascript; charset=utf-8";

/** The files there are to serve. A path that is not a key here does not exist. */
const files = {
  "/": ["index.html", HTML],
  "/page.css": ["page.css", CSS],
  "/pane.css": ["pane.css", CSS],
  "/dom.js": ["dom.js", JAVASCRIPT],
  "/pane.js": ["pane.js", JAVASCRIPT],
  "/stranger.js": ["stranger.js", JAVASCRIPT],
  "/member.js": ["member.js", JAVASCRIPT],
  "/messages.js": ["messages.js", JAVASCRIPT],
  "/words.js": ["words.js", JAVASCRIPT],
  "/authenticator.js": ["authenticator.js", JAVASCRIPT],
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

interface Answer {
  readonly type: string;
  readonly body: string;
}

/**
 * Answers requests for the page, which is told how long a client may stay silent; and for what
 * the authenticator app shows.
 */
export async function createFileHandler(
  timeout: number,
  authenticator: () => Display,
): Promise<RequestListener> {
  const answers = new Map<string, () => Answer>();
  for (const [path, [name, type]] of Object.entries(files)) {
    const text = await readFile(new URL(`./public/${name}`, import.meta.url), "utf8");
    const body = text.replaceAll("{{timeout}}", String(timeout));
    answers.set(path, () => ({ type, body }));
  }
  const client = await bundle(new URL("./client.ts", import.meta.url));
  answers.set("/client.js", () => ({ type: JAVASCRIPT, body: client }));
  answers.set("/authenticator", () => {
    return { type: "application/json", body: JSON.stringify(authenticator()) };
  });

  return (request, response) => {
    const [path = ""] = request.url?.split("?") ?? [];
    const answer = answers.get(path)?.();
    response.writeHead(answer ? 200 : 404, {
      ...headers,
      "content-type": answer?.type ?? "text/plain",
    });
    response.end(answer?.body ?? "Not found\n");
  };
}
