import { type Answer, startAttempt } from "./attempt.ts";
import type { Host, Peer } from "./interface.ts";
import { measure } from "./measure.ts";
import { type Acknowledge, type Outcome, type Unauthorized, unauthorized } from "./protocol.ts";
import { createSession, isExpired } from "./session.ts";
import type { Event } from "./states.ts";

/** Credentials larger than this, or nested deeper, never reach the verifier. */
const LIMIT = { bytes: 16_384, depth: 32 };

type Verdict = Extract<Event, { type: "accepted" | "refused" }>;

/** Credentials on its way through the machine. */
export class Submission<S> {
  readonly id: number;
  readonly peer: Peer<S>;
  readonly credentials: unknown;
  /** By the monotonic clock. */
  readonly begunAt: number;
  readonly #acknowledge: Acknowledge | undefined;
  #abort: (() => void) | undefined;

  constructor(
    id: number,
    peer: Peer<S>,
    credentials: unknown,
    acknowledge: Acknowledge | undefined,
    begunAt: number,
  ) {
    this.id = id;
    this.peer = peer;
    this.credentials = credentials;
    this.begunAt = begunAt;
    this.#acknowledge = acknowledge;
  }

  /** Has the credentials verified, and hands on the verdict, once. */
  verify(host: Host<S, unknown>, onVerdict: (event: Event) => void): void {
    const decide = (verdict: Verdict) => {
      this.#note(host, verdict);
      onVerdict(verdict);
    };
    const { bytes, depth } = measure(this.credentials, LIMIT.bytes);
    if (bytes > LIMIT.bytes || depth > LIMIT.depth) {
      return decide(this.#refused(unauthorized("invalid_credentials")));
    }
    this.#abort = startAttempt(host.policy, this.peer.socket, this.credentials, (answer) => {
      decide(this.#judge(host, answer));
    });
  }

  /** Stops the verifier: from now on it has nothing to say. */
  abort(): void {
    this.#abort?.();
  }

  /** Answers the event, if it was sent with an acknowledgement. */
  answer(outcome: Outcome): void {
    this.#acknowledge?.(outcome);
  }

  /** The same, with a refusal. */
  refuse(refusal: Unauthorized): void {
    this.answer({ ok: false, ...refusal });
  }

  #judge({ policy, clock, revocations }: Host<S, unknown>, answer: Answer): Verdict {
    const { socket } = this.peer;
    if ("refusal" in answer) {
      if ("error" in answer) policy.report(answer.error, { during: "authenticate", socket });
      return this.#refused(answer.refusal);
    }
    try {
      const now = clock.now();
      const session = createSession(policy, answer.user, now);
      if (isExpired(session, now)) return this.#refused(unauthorized("expired"));
      if (revocations.covers(session, this.begunAt)) {
        return this.#refused(unauthorized("revoked"));
      }
      return { type: "accepted", attempt: this.id, session, since: this.begunAt };
    } catch (error) {
      policy.report(error, { during: "session", socket });
      return this.#refused(unauthorized("server_error"));
    }
  }

  #refused(refusal: Unauthorized): Verdict {
    return { type: "refused", attempt: this.id, refusal };
  }

  #note({ clock, journal }: Host<S, unknown>, verdict: Verdict): void {
    const duration = clock.monotonic() - this.begunAt;
    if (verdict.type === "refused") {
      const { code } = verdict.refusal;
      return journal.note(this.peer, { type: "attempt", ok: false, code, duration });
    }
    const { userId } = verdict.session;
    const whose = userId === undefined ? {} : { userId };
    journal.note(this.peer, { type: "attempt", ok: true, ...whose, duration });
  }
}
