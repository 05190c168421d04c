import { isObject, isText, need } from "../core/checks.ts";
import { checkPages, type OpeningRequest, type Origins } from "./pages.ts";

/** Options of {@linkcode cookies}. */
export interface CookieOptions {
  /**
   * The pages whose cookies count: a list of origins, such as `["https://app.example"]`; `"same"`;
   * or `"any"`. Browsers send cookies with the requests of any page, and CORS binds neither
   * WebSockets nor JSONP. With `"same"`, the `Origin` header must have the host of the `Host`
   * header, which a proxy must have left as it was.
   */
  readonly origins: Origins;
}

/** Finds cookies by name in the handshake, which is Socket.IO's `socket.handshake`. */
export type CookieFinder<Name extends string = string> = (
  handshake: unknown,
) => { [name in Name]?: string } | undefined;

/**
 * Creates a function for the option `handshake` that takes cookies as credentials. It returns
 * `{ name: value }` for the cookies that are there, or `undefined` if there are none.
 *
 * The cookies are those of the request that opened the transport. They count if `origins` names the
 * page that made the request. Without an `Origin` header, they count if no page of another origin
 * can have made the request:
 * - the request is a WebSocket's;
 * - or `Sec-Fetch-Site` is `same-origin` or `none`;
 * - or `Sec-Fetch-Site` is absent, and the request is not JSONP.
 *
 * With `Sec-Fetch-Site: cross-site`, the `Origin` has to be in the list, or `origins` be `"any"`.
 *
 * Names are compared exactly, and the first cookie of a name counts. Quotes around a value are
 * removed, and a percent-encoded value is decoded. A value that cannot be decoded stays as it is.
 *
 * @example
 * ```ts
 * import { cookies } from "@socketio-auth/socketio-auth";
 *
 * socketioAuth(io, {
 *   verify: (_socket, credentials) => findSession(Object(credentials).session),
 *   handshake: cookies("session", { origins: ["https://app.example"] }),
 * });
 * ```
 *
 * @param names the name of a cookie, or a list of names
 * @param options `origins`, which is required
 * @returns a function for the option `handshake`
 * @throws {TypeError} if a name or an option is of the wrong kind
 */
export function cookies<const Name extends string>(
  names: Name | readonly Name[],
  options: CookieOptions,
): CookieFinder<Name> {
  const wanted = resolveNames(names);
  const isFromNamedPage = checkPages(resolveOptions(options));
  return (handshake) => {
    const request = handshake as OpeningRequest;
    if (!isFromNamedPage(request)) return undefined;
    const header = [request.headers.cookie ?? []].flat().join(";");
    const found = readCookies(header, wanted);
    // `fromEntries` defines own properties, for a name like `__proto__` too.
    return found.size > 0 ? Object.fromEntries(found) as { [name in Name]?: string } : undefined;
  };
}

function resolveNames(names: unknown): Set<string> {
  const list = [names].flat();
  const isRight = list.length > 0 && list.every(isName);
  need(
    "the first argument of cookies",
    names,
    isRight,
    'the name of a cookie, such as "session", or a list of names, without "=", ";" and spaces',
  );
  return new Set(list as string[]);
}

function isName(name: unknown): boolean {
  return isText(name) && /^[^\0-\x20\x7f=;]+$/.test(name);
}

function resolveOptions(options: CookieOptions): Origins {
  need("the second argument of cookies", options, isObject(options), "an object { origins }");
  const { origins, ...others } = options;
  for (const name of Object.keys(others)) {
    throw new TypeError(
      `Cannot guard: there is no option "${name}" of cookies. The only one is origins.`,
    );
  }
  return origins;
}

function readCookies(header: string, wanted: Set<string>): Map<string, string> {
  const found = new Map<string, string>();
  for (const pair of header.split(";")) {
    const end = pair.indexOf("=");
    const name = trim(pair.slice(0, Math.max(end, 0)));
    if (wanted.has(name) && !found.has(name)) found.set(name, decode(trim(pair.slice(end + 1))));
  }
  return found;
}

/**
 * Removes spaces and tabs at both ends. Other white space, which `String.trim` removes too, is part
 * of the name: otherwise a page of a subdomain could set a cookie that passes for `__Host-session`.
 */
function trim(text: string): string {
  let start = 0;
  let end = text.length;
  while (isBlank(text[start])) start++;
  while (end > start && isBlank(text[end - 1])) end--;
  return text.slice(start, end);
}

function isBlank(character: string | undefined): boolean {
  return character === " " || character === "\t";
}

function decode(value: string): string {
  const isQuoted = value.length > 1 && value.startsWith('"') && value.endsWith('"');
  const bare = isQuoted ? value.slice(1, -1) : value;
  try {
    return decodeURIComponent(bare);
  } catch {
    return bare;
  }
}
