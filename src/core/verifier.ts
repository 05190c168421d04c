import type { Attempt } from "./attempt.ts";
import type { ChallengeOptions, Dialog } from "./challenge.ts";
import { isAuthError, isError, refusalOf, type Refused } from "./errors.ts";
import type { Policy } from "./policy.ts";
import { unauthorized } from "../protocol.ts";

/** What a verifier says of credentials. */
export type Verdict = { readonly user: unknown } | Refused;

/** Where the deadline has found an attempt, or something else has ended it. */
export type Ending = "overdue" | "ended";

const HOW_TO_ANSWER = "A function with three parameters answers by calling the third one: " +
  "attempt(null, user) or attempt(error). To answer by its return value, it declares two " +
  "parameters, or takes what it needs out of the third: async (socket, credentials, { signal }) " +
  "=> …";

const UNHEARD = "authenticate returned something, and called nobody back before the deadline. ";

const MIXED = "authenticate called back after its promise had answered, which does not count any " +
  "more. ";

/** What is verified. */
interface Verifiable<S> {
  /** Opens what the verifier may ask the client further questions through. */
  openDialog(): Dialog<S>;
  /** Takes the verifier's answer. */
  verified(verdict: Verdict): void;
}

/**
 * One call of the verifier. It hands on the first answer, at the moment it is
 * given, whether returned, resolved, thrown, rejected or called back with.
 */
export class Verification<S> {
  readonly #policy: Policy<S>;
  readonly #socket: S;
  readonly #submission: Verifiable<S>;
  #state: "open" | "answered" | "ended" = "open";
  /** The verifier has taken something that no Node callback has: it knows what it was given. */
  #hasLooked = false;
  /** It has returned something that does not count. */
  #isUnheard = false;
  /** Its promise has answered; if it calls back after that, it meant to answer so. */
  #hasResolved = false;
  // Most verifiers never look at these: nobody pays for them until one does.
  #controller: AbortController | undefined;
  #dialog: Dialog<S> | undefined;
  #challenge: Attempt["challenge"] | undefined;

  constructor(policy: Policy<S>, socket: S, submission: Verifiable<S>) {
    this.#policy = policy;
    this.#socket = socket;
    this.#submission = submission;
  }

  /** Calls the verifier. */
  begin(credentials: unknown): void {
    try {
      const attempt = createAttempt(this);
      this.#returned(this.#policy.authenticate(this.#socket, credentials, attempt));
    } catch (error) {
      // Nobody else hears of it, if it has ended the attempt before: by a disconnect, for example.
      if (this.#state === "ended" && !isAuthError(error)) this.#report(error);
      this.#failed(error);
    }
  }

  /** Ends the attempt: from now on no answer is handed on. */
  end(ending: Ending): void {
    if (this.#state !== "open") return;
    this.#state = "ended";
    this.#dialog?.end();
    this.#controller?.abort();
    if (ending === "overdue" && this.#isUnheard) this.#report(new Error(UNHEARD + HOW_TO_ANSWER));
  }

  callBack(error?: unknown, success?: unknown): void {
    if (this.#hasResolved) this.#report(new Error(MIXED + HOW_TO_ANSWER));
    this.#hasResolved = false;
    this.#answer(error ? refusalOf(error) : verdictOn(success));
  }

  lookAtSignal(): AbortSignal {
    this.#hasLooked = true;
    this.#controller ??= new AbortController();
    if (this.#state === "ended") this.#controller.abort();
    return this.#controller.signal;
  }

  lookAtChallenge(): Attempt["challenge"] {
    this.#hasLooked = true;
    return this.#challenge ??= (data, options) => this.#ask(data, options);
  }

  #ask(data: unknown, options?: ChallengeOptions): Promise<unknown> {
    const dialog = this.#dialog ??= this.#submission.openDialog();
    if (this.#state !== "open") dialog.end();
    return dialog.ask(data, options);
  }

  /**
   * The original module's verifiers call back, and what they return is whatever
   * their last line happened to be: a timer, a query, a promise of rows.
   */
  get #callsBack(): boolean {
    return this.#policy.authenticate.length >= 3;
  }

  #returned(value: unknown): void {
    const resolved = (value: unknown) => this.#resolved(value);
    const failed = (error: unknown) => this.#failed(error);
    if (!this.#callsBack) void Promise.resolve(value).then(resolved, failed);
    else this.#isUnheard = !hearOut(value, resolved, failed) && value !== undefined;
  }

  #resolved(value: unknown): void {
    const callsBack = this.#callsBack;
    if (callsBack && !this.#hasLooked) {
      this.#isUnheard = value !== undefined;
      return;
    }
    this.#hasResolved = callsBack && this.#state === "open";
    this.#answer(verdictOn(value));
  }

  #failed(error: unknown): void {
    if (this.#state === "answered" && !isAuthError(error)) this.#report(error);
    this.#answer(verdictOnFailure(error));
  }

  #answer(verdict: Verdict): void {
    if (this.#state !== "open") return;
    this.#state = "answered";
    this.#dialog?.end();
    this.#submission.verified(verdict);
  }

  #report(error: unknown): void {
    this.#policy.report(error, { during: "authenticate", socket: this.#socket });
  }
}

const VERIFICATION = Symbol("socketio-auth verification");

interface OwnAttempt {
  readonly [VERIFICATION]?: Pick<Verification<unknown>, "lookAtSignal" | "lookAtChallenge">;
}

/** What every attempt has besides being called. On one prototype: to define it anew is slow. */
const attemptPrototype = Object.create(Function.prototype, {
  signal: {
    get(this: OwnAttempt) {
      return this[VERIFICATION]?.lookAtSignal();
    },
  },
  challenge: {
    get(this: OwnAttempt) {
      return this[VERIFICATION]?.lookAtChallenge();
    },
  },
});

function createAttempt<S>(verification: Verification<S>): Attempt<unknown> {
  const attempt = (error?: unknown, success?: unknown) => verification.callBack(error, success);
  Object.setPrototypeOf(attempt, attemptPrototype);
  Object.defineProperty(attempt, VERIFICATION, { value: verification });
  return attempt as unknown as Attempt<unknown>;
}

/**
 * Waits for a promise of the language itself, such as every async function
 * returns. Of a subclass, which is some driver's, only the failure counts. Any
 * other thenable is left alone: to look at a query is to send it once more.
 * Returns whether there is a result to wait for.
 */
function hearOut(
  value: unknown,
  resolved: (value: unknown) => void,
  failed: (error: unknown) => void,
): boolean {
  try {
    if (!(value instanceof Promise)) return false;
    const isNative = Object.getPrototypeOf(value) === Promise.prototype;
    void Promise.prototype.then.call(value, isNative ? resolved : undefined, failed);
    return isNative;
  } catch {
    // Something that only looks like a promise.
    return false;
  }
}

function verdictOn(success: unknown): Verdict {
  // No user is an error: it was meant to be thrown.
  if (isError(success)) return verdictOnFailure(success);
  return success ? { user: success } : { refusal: unauthorized("authentication_failed") };
}

function verdictOnFailure(error: unknown): Verdict {
  return isAuthError(error) ? refusalOf(error) : { refusal: unauthorized("server_error"), error };
}
