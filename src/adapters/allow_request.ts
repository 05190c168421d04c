/**
 * socket.io's option `allowRequest` under `serve`, with the same contract on every runtime.
 *
 * @module
 */
import { systemClock } from "../core/clock.ts";
import { printErrors } from "../core/console.ts";

/** Takes the answer: an `error` refuses the request; otherwise `isAllowed` decides. */
type Callback = (error?: unknown, isAllowed?: unknown) => void;

type AllowRequest = (request: object, callback: Callback) => unknown;

/** Asks about a request. Resolves with the reason of a refusal, or with `undefined`. */
export type Ask = (request: object) => Promise<string | undefined>;

/** The reason given to a client whose refusal has none of its own. */
const FORBIDDEN = "Forbidden";

/**
 * Reads the option `allowRequest` of a server, if the server has it.
 *
 * @throws {TypeError} if the option is not a function
 */
export function allowRequestOf(opts: { allowRequest?: unknown }): Ask | undefined {
  const { allowRequest } = opts;
  if (allowRequest === undefined || allowRequest === null) return undefined;
  if (typeof allowRequest !== "function") {
    throw new TypeError("Cannot serve: the option allowRequest must be a function.");
  }
  return asking((allowRequest as AllowRequest).bind(opts));
}

/** Counts the first answer only. A throw or rejection refuses the request, and is printed. */
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
