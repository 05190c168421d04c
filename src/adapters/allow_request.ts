/**
 * socket.io's option `allowRequest` under `serve`, by one contract on every runtime.
 *
 * @module
 */
import { systemClock } from "../core/clock.ts";
import { printErrors } from "../core/console.ts";

/** Takes the answer: an error, which refuses, or whether the request is allowed. */
type Callback = (error?: unknown, isAllowed?: unknown) => void;

/** Decides whether a request may open a transport. */
type AllowRequest = (request: object, callback: Callback) => unknown;

/** Asks about a request. Resolves with the reason of a refusal, or with nothing. */
export type Ask = (request: object) => Promise<string | undefined>;

/** What a client is told that is refused for no reason of its own. */
const FORBIDDEN = "Forbidden";

/**
 * Reads the option `allowRequest` of a server, if it is given.
 *
 * @throws {TypeError} if it is no function
 */
export function allowRequestOf(opts: { allowRequest?: unknown }): Ask | undefined {
  const { allowRequest } = opts;
  if (allowRequest === undefined || allowRequest === null) return undefined;
  if (typeof allowRequest !== "function") {
    throw new TypeError("Cannot serve: the option allowRequest must be a function.");
  }
  return asking((allowRequest as AllowRequest).bind(opts));
}

/** The first answer counts; what throws or rejects refuses, and is printed. */
function asking(allowRequest: AllowRequest): Ask {
  const print = printErrors(systemClock);
  return (request) =>
    new Promise((resolve) => {
      function answer(error?: unknown, isAllowed?: unknown): void {
        if (!error && isAllowed) resolve(undefined);
        else resolve(typeof error === "string" && error ? error : FORBIDDEN);
      }
      async function call(): Promise<void> {
        try {
          await allowRequest(request, answer);
        } catch (error) {
          print(error, { during: "allowRequest" });
          answer(error);
        }
      }
      void call();
    });
}
