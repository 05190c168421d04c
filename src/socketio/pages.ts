import { isText, need } from "../core/checks.ts";

/**
 * The pages whose cookies count: a list of origins, such as `"https://app.example"`; `"same"` for
 * pages of the requested host; or `"any"`.
 */
export type Origins = readonly string[] | "same" | "any";

/** The part of the opening request that counts. Socket.IO keeps it as `socket.handshake`. */
export interface OpeningRequest {
  /** The headers, with names in lower case. */
  readonly headers: RequestHeaders;
  readonly query: object;
}

type RequestHeaders = Readonly<Record<string, string | readonly string[] | undefined>>;

type Check = (origin: string, headers: RequestHeaders) => boolean;

/**
 * Creates a check whether a request came from a page that `origins` names, or from no page.
 *
 * @throws {TypeError} if `origins` is of the wrong kind
 */
export function checkPages(origins: Origins): (request: OpeningRequest) => boolean {
  const isNamed = resolveOrigins(origins);
  return (request) => {
    const { origin } = request.headers;
    return origin === undefined
      ? isTrustedWithoutOrigin(request)
      : isNamed(`${origin}`, request.headers);
  };
}

/**
 * Returns whether a request without an `Origin` can be trusted. Browsers send none with a request
 * to the page's own host, with a navigation, and with a script, which may be any page's. A script
 * can only read an answer in JSONP.
 */
function isTrustedWithoutOrigin({ headers, query }: OpeningRequest): boolean {
  const site = headers["sec-fetch-site"];
  if (site === "same-origin" || site === "none") return true;
  if (site === "cross-site") return false;
  return isWebSocket(headers, query) || site === undefined && !Object.hasOwn(query, "j");
}

/**
 * Returns whether a request is a WebSocket's, with which browsers send an `Origin`. The query alone
 * does not tell: the page chooses it, and `@socket.io/bun-engine` opens long-polling regardless. No
 * page can send `Upgrade`.
 */
function isWebSocket(headers: RequestHeaders, query: object): boolean {
  const { transport } = query as { transport?: unknown };
  return transport === "websocket" && `${headers.upgrade}`.toLowerCase() === "websocket";
}

function resolveOrigins(origins: unknown): Check {
  if (origins === "any") return () => true;
  if (origins === "same") return isSame;
  const isList = Array.isArray(origins) && origins.length > 0;
  need(
    "the option origins of cookies",
    origins,
    isList,
    'a list of the pages\' origins, such as ["https://app.example"], or "same" for pages of the ' +
      'host that is asked, or "any"',
  );
  const list = new Set((origins as unknown[]).map(normalize));
  return (origin) => list.has(origin);
}

/** Returns whether a page is of the requested host. The default port may be named or not. */
function isSame(origin: string, headers: RequestHeaders): boolean {
  const [scheme] = /^https?:\/\//.exec(origin) ?? [];
  // A proxy may make hosts equal that the browser knows to be different.
  if (!scheme || headers["sec-fetch-site"] === "cross-site") return false;
  // HTTP/2 has the host in `:authority`.
  const host = headers[":authority"] ?? headers.host ?? "";
  return parse(`${scheme}${host}`)?.href === `${origin}/`;
}

/** Returns the origin as browsers send it: in lower case, without default port or final slash. */
function normalize(entry: unknown): string {
  const url = isText(entry) && !entry.includes("*") ? parse(entry.toLowerCase()) : undefined;
  need(
    "each of origins of cookies",
    entry,
    url !== undefined && isOrigin(url),
    'the origin of a page, such as "https://app.example" or "http://localhost:5173": a scheme, a ' +
      "host without wildcards and perhaps a port, and no path",
  );
  return originOf(url!);
}

/**
 * Returns whether a URL is an origin and no more. Pages are `https:` where their sockets are
 * `wss:`.
 */
function isOrigin(url: URL): boolean {
  if (url.host === "" || url.protocol === "ws:" || url.protocol === "wss:") return false;
  return [originOf(url), `${originOf(url)}/`].includes(url.href);
}

/** Returns the origin for any scheme. `URL` says `"null"` for `capacitor:` or an extension. */
function originOf({ protocol, host }: URL): string {
  return `${protocol}//${host}`;
}

function parse(text: string): URL | undefined {
  try {
    return new URL(text);
  } catch {
    return undefined;
  }
}
