import { AuthError } from "./errors.ts";
import { type Clock, MAX_DELAY, type Peer } from "./interface.ts";
import { isOverLimit } from "./measure.ts";
import type { StandardSchema } from "./schema.ts";
import { unauthorized } from "../protocol.ts";

/** How long a client may take to answer, in ms, unless the verifier says otherwise. */
const TIMEOUT = 30_000;

/** How many questions a verifier may ask in one attempt. */
const MOST = 32;

/**
 * What a verifier may say about a challenge.
 *
 * @typeParam Answer the answer, as the schema types it
 */
export interface ChallengeOptions<Answer = unknown> {
  /**
   * Milliseconds the client may take to answer. The deadline of the option
   * `timeout` stands still meanwhile.
   *
   * @default 30000
   */
  timeout?: number;
  /**
   * What the answer must look like, as a Standard Schema: the challenge resolves with what the
   * schema makes of it. What does not fit rejects with an `AuthError` of the code
   * `invalid_credentials`.
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
  /** Has something done as soon as the client can be talked to. */
  readonly #whenConnected: (fn: () => void) => void;
  readonly #onChange: (type: "challenged" | "answered") => void;
  #isOver = false;
  #count = 0;
  /** How long the client has taken to answer, in ms. */
  #duration = 0;
  #askedAt: number | undefined;
  /** Gives up on the question that is open. */
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

  /** How long the client has taken to answer so far, in ms. */
  get duration(): number {
    const open = this.#askedAt === undefined ? 0 : this.#clock.monotonic() - this.#askedAt;
    return this.#duration + open;
  }

  /** Asks the client. Resolves with the answer. */
  ask<Answer>(data: unknown, options: ChallengeOptions<Answer> = {}): Promise<Answer> {
    const { timeout = TIMEOUT, schema } = options;
    const answer = this.#ask(data, timeout).then((answer) =>
      schema ? check(schema, answer) : answer as Answer
    );
    // A verifier that does not wait for it must not bring the process down.
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

  /** The attempt is over, and with it whatever was asked. */
  end(): void {
    this.#isOver = true;
    this.#giveUp?.(new Error("The attempt is over: nobody waits for an answer any more."));
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
  // What is wrong with it might quote it: it is nobody's to see.
  if (result.issues) throw errorOf("invalid_credentials");
  return result.value;
}

function errorOf(code: "timeout" | "invalid_credentials"): AuthError {
  return new AuthError(unauthorized(code).message, { code });
}
