import type { Attempt } from "./attempt.ts";
import type { VerifyContext } from "./answers.ts";
import type { ChallengeOptions, Dialog } from "./challenge.ts";

import { isAuthError, isError, refusalOf, type Refused } from "./errors.ts";
import type { Clock } from "./interface.ts";
import type { Delay, Notice } from "./notices.ts";
import type { Policy } from "./policy.ts";
import { isObject, isText } from "./checks.ts";
import { unauthorized } from "../protocol.ts";
import { Admission, couldBeUser, objectionToUser } from "./users.ts";

export type Verdict = Admission<unknown> | Refused;

const CALLS_BACK = "authenticate answers by calling its third parameter: callback(error, user). " +
  "A function that answers by what it returns is for the option verify.";

const RETURNS = "verify answers by what it returns, and its third parameter is an object " +
  "{ signal, challenge }. A function that calls back is for the option authenticate.";

const OWNER = Symbol("verification");

interface Owned {
  readonly [OWNER]: Verification<unknown>;
}

/** One call of the verifier, which passes on the first answer at the moment it is given. */
export class Verification<S> {
  readonly #attempt: Attempt<S>;
  readonly #policy: Policy<S>;
  readonly #clock: Clock;
  readonly #socket: S;
  readonly #begunAt: number;
  #isAnswered = false;
  #isAborted = false;
  #endedAt: number | undefined;
  // Created on demand: most verifiers never use these.
  #controller: AbortController | undefined;
  #dialog: Dialog<S> | undefined;

  constructor(attempt: Attempt<S>) {
    const { policy, clock } = attempt.guard;
    this.#attempt = attempt;
    this.#policy = policy;
    this.#clock = clock;
    this.#socket = attempt.peer.socket;
    this.#begunAt = clock.monotonic();
  }

  /** How long the verifier has taken, in ms, challenges excluded. */
  get duration(): number {
    const until = this.#endedAt ?? this.#clock.monotonic();
    return until - this.#begunAt - (this.#dialog?.duration ?? 0);
  }

  begin(credentials: unknown): void {
    const { authenticate, verify } = this.#policy;
    try {
      if (!verify) {
        const callback = (error?: unknown, user?: unknown) => this.#calledBack(error, user);
        return this.#waitForCallback(authenticate!(this.#socket, credentials, callback));
      }
      const challenge: VerifyContext["challenge"] = (data, options) => this.#ask(data, options);
      const context = { challenge, [OWNER]: this as Verification<unknown> };
      Object.defineProperty(context, "signal", Verification.#SIGNAL);
      const answer = verify(this.#socket, credentials, context as never);
      const isThenable = typeof (answer as { then?: unknown } | undefined | null)?.then ===
        "function";
      if (!isThenable) return this.#resolved(answer);
      const resolved = (answer: unknown) => this.#resolved(answer);
      void Promise.resolve(answer).then(resolved, (error) => this.#failed(error));
    } catch (error) {
      // The verifier has ended the attempt itself, by a disconnect: no client hears of the error.
      if (this.#isAborted && !isAuthError(error)) this.#report(error);
      this.#failed(error);
    }
  }

  /** Aborts the `signal`: the attempt is over. A late answer is still passed on. */
  abort(): void {
    if (!this.#isOpen) return;
    this.#isAborted = true;
    this.#endedAt = this.#clock.monotonic();
    this.#dialog?.end();
    this.#controller?.abort();
  }

  get delay(): Delay {
    return this.#policy.verify
      ? {
        during: "verify",
        notice: "verifying",
        message: "The deadline ended an attempt while verify was still running. Make it " +
          "faster, or raise the option timeout.",
      }
      : {
        during: "authenticate",
        notice: "not called back",
        message: "The deadline ended an attempt, and authenticate had not called " +
          `back. ${CALLS_BACK} If it does call back, make it faster, or raise the option timeout.`,
      };
  }

  /** The accessor `signal` of all contexts: V8 creates an object with its own accessor slowly. */
  static readonly #SIGNAL: PropertyDescriptor = {
    enumerable: true,
    get(this: Owned): AbortSignal {
      return this[OWNER].#signal;
    },
  };

  get #signal(): AbortSignal {
    this.#controller ??= new AbortController();
    if (this.#isAborted) this.#controller.abort();
    return this.#controller.signal;
  }

  #ask<Answer>(data: unknown, options?: ChallengeOptions<Answer>): Promise<Answer> {
    const dialog = this.#dialog ??= this.#attempt.openDialog();
    if (!this.#isOpen) dialog.end();
    return dialog.ask(data, options);
  }

  #calledBack(error: unknown, user: unknown): void {
    if (error && user) {
      this.#notice(
        "error and user",
        "authenticate called back with an error and a user at once. " +
          "The error counts: call back with nothing in its place to admit the user.",
      );
    }
    if (error) this.#answer(refusalOf(error));
    else this.#resolved(user);
  }

  /**
   * Handles the value that `authenticate` returned, which is no answer unless it rejects. Only
   * native promises are awaited: to call `then` on a query of some libraries is to send it.
   */
  #waitForCallback(returned: unknown): void {
    const failed = (error: unknown) => this.#failed(error);
    const resolved = (value: unknown) => {
      if (couldBeUser(value)) this.#suspect();
    };
    try {
      void Promise.prototype.then.call(returned, resolved, failed);
    } catch {
      if (looksLikeAnswer(returned)) this.#suspect();
    }
  }

  #suspect(): void {
    if (!this.#isOpen) return;
    this.#notice(
      "returned by authenticate",
      `authenticate returned something and has not called back. ${CALLS_BACK}`,
    );
  }

  #resolved(answer: unknown): void {
    try {
      this.#answer(verdictOn(answer));
    } catch (error) {
      this.#failed(error);
    }
  }

  #failed(error: unknown): void {
    if (this.#isAnswered && !isAuthError(error)) this.#report(error);
    if (isAuthError(error)) return this.#answer(refusalOf(error));
    const isCalled = this.#policy.verify && isNotAFunction(error);
    const reported = isCalled
      ? new TypeError(
        `verify failed: ${error.message}. If that is its third parameter: ${RETURNS}`,
        {
          cause: error,
        },
      )
      : error;
    this.#answer({ refusal: unauthorized("server_error"), error: reported });
  }

  #answer(verdict: Verdict): void {
    if (this.#isAnswered) return;
    this.#isAnswered = true;
    this.#endedAt ??= this.#clock.monotonic();
    this.#dialog?.end();
    this.#attempt.answered(verdict);
  }

  get #isOpen(): boolean {
    return this.#endedAt === undefined;
  }

  #notice(notice: Notice, message: string): void {
    const context = { during: this.#policy.decides, socket: this.#socket };
    this.#attempt.guard.notices.once(notice, message, context);
  }

  #report(error: unknown): void {
    this.#policy.report(error, { during: this.#policy.decides, socket: this.#socket });
  }
}

/** @throws {TypeError} if the answer cannot be a user */
function verdictOn(answer: unknown): Verdict {
  const admitted = answer instanceof Admission ? answer : { user: answer, facts: NO_FACTS };
  const { user } = admitted;
  if (!user) return { refusal: unauthorized("authentication_failed") };
  const objection = objectionToUser(user);
  if (objection === undefined) return admitted;
  // The error was meant to be thrown.
  if (isError(user)) throw user;
  ignore(user);
  throw new TypeError(
    "A user must be true, text, a number, or an object that describes the user. The verifier " +
      `answered with ${objection}.`,
  );
}

const NO_FACTS: Admission<unknown>["facts"] = {};

/** Returns whether a value that `authenticate` has returned may have been meant as its answer. */
function looksLikeAnswer(value: unknown): boolean {
  try {
    if (!isObject(value)) return value === true || isText(value);
    const prototype = Object.getPrototypeOf(value);
    return prototype === null || Object.getPrototypeOf(prototype) === null;
  } catch {
    return false;
  }
}

/**
 * Returns whether an error comes from a call of something that is no function, most likely the
 * third parameter.
 */
function isNotAFunction(error: unknown): error is TypeError {
  try {
    return error instanceof TypeError && /is not a function/.test(error.message);
  } catch {
    // Some values throw when their prototype is read.
    return false;
  }
}

/** Ignores the rejection of a promise, which would end the process. */
function ignore(value: unknown): void {
  try {
    Promise.prototype.then.call(value, undefined, () => {});
  } catch {
    // Not a promise.
  }
}
