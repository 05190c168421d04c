import { AuthError } from "./errors.ts";
import { type Clock, MAX_DELAY, type Peer } from "./interface.ts";
import { isOverLimit } from "./measure.ts";
import type { StandardSchema } from "./schema.ts";
import { unauthorized } from "../protocol.ts";

/** Default time limit for an answer, in ms. */
const TIMEOUT = 30_000;

/** How many questions a verifier may ask in one attempt. */
const MOST = 32;

/**
 * Options of a challenge.
 *
 * @typeParam Answer the answer, as the schema types it
 */
export interface ChallengeOptions<Answer = unknown> {
  /**
   * Milliseconds that the client may take to answer. The deadline of the option `timeout` is paused
   * meanwhile.
   *
   * @default 30000
   */
  timeout?: number;
  /**
   * A Standard Schema for the answer: the challenge resolves with the output of the schema. An
   * answer that does not fit rejects with an `AuthError` of the code `invalid_credentials`.
   *
   * @default the answer can be anything of up to `maxCredentials` bytes and 32 levels
   */
  schema?: StandardSchema<Answer>;
}

/** Further questions to a client in the course of one attempt, one at a time. */
export class Dialog<S> {
  readonly #peer: Peer<S>;
  readonly #clock: Clock;
  readonly #maxBytes: number;
  /** Calls back as soon as the client can be asked. */
  readonly #whenConnected: (fn: () => void) => void;
  readonly #onChange: (type: "challenged" | "answered") => void;
  #isOver = false;
  #count = 0;
  #duration = 0;
  #askedAt: number | undefined;
  #giveUp: ((error: Error) => void) | undefined;

  constructor(
    peer: Peer<S>,
    clock: Clock,
    maxBytes: number,
    whenConnected: (fn: () => void) => void,
    onChange: (type: "challenged" | "answered") => void,
  ) {
    this.#peer = peer;
    this.#clock = clock;
    this.#maxBytes = maxBytes;
    this.#whenConnected = whenConnected;
    this.#onChange = onChange;
  }

  get duration(): number {
    const open = this.#askedAt === undefined ? 0 : this.#clock.monotonic() - this.#askedAt;
    return this.#duration + open;
  }

  ask<Answer>(data: unknown, options: ChallengeOptions<Answer> = {}): Promise<Answer> {
    const { timeout = TIMEOUT, schema } = options;
    const answer = this.#ask(data, timeout).then((answer) =>
      schema ? check(schema, answer) : answer as Answer
    );
    // A verifier that does not await the answer must not bring the process down.
    answer.catch(() => {});
    return answer;
  }

  #ask(data: unknown, timeout: number): Promise<unknown> {
    return new Promise((resolve, reject) => {
      this.#check(timeout);
      this.#count++;
      let forget = () => {};
      const settle = (fn: () => void) => {
        if (this.#giveUp !== giveUp) return;
        this.#giveUp = undefined;
        cancel();
        forget();
        this.#duration = this.duration;
        this.#askedAt = undefined;
        this.#onChange("answered");
        fn();
      };
      const giveUp = (error: Error) => settle(() => reject(error));
      const due = this.#clock.monotonic() + timeout;
      const cancel = this.#clock.after(timeout, () => giveUp(errorOf("timeout")));
      this.#giveUp = giveUp;
      this.#askedAt = this.#clock.monotonic();
      this.#onChange("challenged");
      this.#whenConnected(() => {
        if (this.#giveUp !== giveUp) return;
        try {
          forget = this.#peer.challenge(data, (answer) => {
            // A busy process runs its timers late.
            if (this.#clock.monotonic() > due) giveUp(errorOf("timeout"));
            else if (isOverLimit(answer, this.#maxBytes)) giveUp(errorOf("invalid_credentials"));
            else settle(() => resolve(answer));
          });
        } catch (error) {
          giveUp(error as Error);
        }
      });
    });
  }

  /** Rejects the open question, and all further ones: the attempt is over. */
  end(): void {
    this.#isOver = true;
    this.#giveUp?.(new Error("The attempt is over: the answer is not needed any more."));
  }

  #check(timeout: number): void {
    if (this.#isOver) throw new Error("Cannot challenge: the attempt is over.");
    if (this.#giveUp) {
      throw new Error("Cannot challenge: the client has not answered the last one. Await it.");
    }
    if (this.#count >= MOST) {
      throw new Error(`Cannot challenge: the client was asked ${MOST} times in this attempt.`);
    }
    if (!(timeout > 0 && timeout <= MAX_DELAY)) {
      throw new RangeError(
        `Cannot challenge: timeout must be more than 0 and at most ${MAX_DELAY}, got ${timeout}.`,
      );
    }
  }
}

async function check<Answer>(schema: StandardSchema<Answer>, answer: unknown): Promise<Answer> {
  const result = await schema["~standard"].validate(answer);
  // The issues may quote the answer: neither client nor operator is told of them.
  if (result.issues) throw errorOf("invalid_credentials");
  return result.value;
}

function errorOf(code: "timeout" | "invalid_credentials"): AuthError {
  return new AuthError(unauthorized(code).message, { code });
}
