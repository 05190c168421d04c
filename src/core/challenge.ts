import { AuthError } from "./errors.ts";
import { type Clock, MAX_DELAY, type Peer } from "./interface.ts";
import { isOverLimit } from "./measure.ts";
import { unauthorized } from "../protocol.ts";

/** How long a client may take to answer, in ms, unless the verifier says otherwise. */
const TIMEOUT = 30_000;

/** What a verifier may say about a challenge. */
export interface ChallengeOptions {
  /**
   * Milliseconds the client may take to answer. The deadline of the option
   * `timeout` stands still meanwhile.
   *
   * @default 30000
   */
  timeout?: number;
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

  /** Asks the client. Resolves with the answer. */
  ask(data: unknown, { timeout = TIMEOUT }: ChallengeOptions = {}): Promise<unknown> {
    const answer = new Promise<unknown>((resolve, reject) => {
      this.#check(timeout);
      let forget = () => {};
      const settle = (fn: () => void) => {
        if (this.#giveUp !== giveUp) return;
        this.#giveUp = undefined;
        cancel();
        forget();
        this.#onChange("answered");
        fn();
      };
      const giveUp = (error: Error) => settle(() => reject(error));
      const due = this.#clock.monotonic() + timeout;
      const cancel = this.#clock.after(timeout, () => giveUp(errorOf("timeout")));
      this.#giveUp = giveUp;
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
    // A verifier that does not wait for it must not bring the process down.
    answer.catch(() => {});
    return answer;
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
    if (!(timeout > 0 && timeout <= MAX_DELAY)) {
      throw new RangeError(
        `Cannot challenge: timeout must be more than 0 and at most ${MAX_DELAY}, got ${timeout}.`,
      );
    }
  }
}

function errorOf(code: "timeout" | "invalid_credentials"): AuthError {
  return new AuthError(unauthorized(code).message, { code });
}
