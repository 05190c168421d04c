import { type Answer, type Ending, startAttempt } from "./attempt.ts";
import { Dialog } from "./challenge.ts";
import { callHook } from "./contain.ts";
import type { Common } from "./guard.ts";
import type { Peer } from "./interface.ts";
import { type Acknowledge, type Outcome, type Unauthorized, unauthorized } from "../protocol.ts";
import { screen, type Screened } from "./screening.ts";
import { createSession, isExpired } from "./session.ts";
import type { Event } from "./states.ts";
import type { Points } from "./throttle.ts";
import { Timer } from "./timer.ts";

/** How long a verifier may take where no deadline runs, in ms; challenges apart. */
const ANSWER_LIMIT = 30_000;

type Verdict = Extract<Event, { type: "accepted" | "refused" }>;

/** The connection that credentials came on. */
interface Sender<S> {
  readonly guard: Common<S>;
  readonly knownId: string | undefined;
}

/** Credentials on their way through the machine. */
export class Submission<S> {
  readonly id: number;
  readonly peer: Peer<S>;
  /** By the monotonic clock. */
  readonly begunAt: number;
  readonly #guard: Common<S>;
  readonly #connection: Sender<S>;
  #credentials: unknown;
  #acknowledge: Acknowledge | undefined;
  /** They came along with the request for a namespace, which has not been granted yet. */
  #isJoining: boolean;
  #isOver = false;
  #stop: ((ending: Ending) => void) | undefined;
  /** Only where no deadline runs. */
  #limit: Timer | undefined;
  /** What is to be done as soon as the client can be talked to. */
  #onConnected: (() => void) | undefined;

  constructor(
    id: number,
    connection: Sender<S>,
    peer: Peer<S>,
    credentials: unknown,
    acknowledge: Acknowledge | undefined,
  ) {
    this.id = id;
    this.peer = peer;
    const { guard } = connection;
    this.begunAt = guard.clock.monotonic();
    this.#guard = guard;
    this.#connection = connection;
    this.#credentials = credentials;
    this.#acknowledge = acknowledge;
    this.#isJoining = !peer.connected;
    if (this.#isJoining) guard.journal.count("pending", 1);
  }

  /** As the schema returned them, where there is one. */
  get credentials(): unknown {
    return this.#credentials;
  }

  /**
   * Has the credentials verified, and hands on what comes of it; within a time
   * of its own if no deadline bounds it.
   */
  verify(isBounded: boolean, onEvent: (event: Event) => void): void {
    if (!isBounded) this.#limit = this.#startLimit(onEvent);
    const screened = screen(this.#guard.policy, this.peer, this.#credentials);
    const proceed = (screened: Screened) => this.#ask(screened, onEvent);
    if (screened instanceof Promise) void screened.then(proceed);
    else proceed(screened);
  }

  /** The namespace it came with has been connected. */
  joined(): void {
    this.#givePlaceBack();
    this.#onConnected?.();
    this.#onConnected = undefined;
  }

  /** It is over, however it has ended: from now on nobody has anything to say. */
  close(ending: Ending = "ended"): void {
    this.#isOver = true;
    this.#givePlaceBack();
    this.#stop?.(ending);
    this.#limit?.stop();
  }

  /** The same, before it was decided. Without a refusal there is nobody to tell. */
  abort(refusal: Unauthorized | undefined): void {
    // What was begun for a socket that is not connected yet has to be undone.
    const reason = refusal ?? (this.#isJoining ? unauthorized("server_error") : undefined);
    this.close(reason?.code === "timeout" ? "overdue" : "ended");
    if (reason) this.refuse(reason);
  }

  /** Answers whoever sent it, if they want to know. */
  answer(outcome: Outcome): void {
    const acknowledge = this.#acknowledge;
    this.#acknowledge = undefined;
    acknowledge?.(outcome);
  }

  /** The same, with a refusal. */
  refuse(refusal: Unauthorized): void {
    this.answer({ ok: false, ...refusal });
  }

  #ask(screened: Screened, onEvent: (event: Event) => void): void {
    if (this.#isOver) return;
    const { policy, clock } = this.#guard;
    const { peer } = this;
    const decide = (verdict: Verdict) => {
      this.#note(verdict);
      onEvent(verdict);
    };
    if ("refusal" in screened) {
      const { refusal, failure } = screened;
      if (failure) policy.report(failure.error, { during: failure.during, socket: peer.socket });
      return decide(this.#refused(refusal));
    }
    this.#credentials = screened.credentials;
    const openDialog = () =>
      new Dialog(peer, clock, policy.maxCredentials, (fn) => this.#whenConnected(fn), (type) => {
        if (type === "challenged") this.#limit?.pause();
        else this.#limit?.resume();
        onEvent({ type, attempt: this.id });
      });
    this.#stop = startAttempt(policy, peer.socket, this.#credentials, openDialog, (answer) => {
      decide(this.#judge(answer, screened.points));
    });
    // The verifier itself may have ended it, with a disconnect.
    if (this.#isOver) this.#stop("ended");
  }

  #startLimit(onEvent: (event: Event) => void): Timer {
    const { clock } = this.#guard;
    const { monotonic } = clock;
    return new Timer(clock, monotonic, monotonic() + ANSWER_LIMIT, () => {
      this.close("overdue");
      const verdict = this.#refused(unauthorized("timeout"));
      this.#note(verdict);
      onEvent(verdict);
    });
  }

  #judge(answer: Answer, points: Points<unknown> | undefined): Verdict {
    const { policy, clock, revocations } = this.#guard;
    const { socket } = this.peer;
    if ("refusal" in answer) {
      if ("error" in answer) policy.report(answer.error, { during: "authenticate", socket });
      return this.#refused(answer.refusal);
    }
    try {
      const now = clock.now();
      const session = createSession(policy, answer.user, now);
      if (isExpired(session, now, policy.grace)) {
        // With the same credentials it would be no better.
        return this.#refused({ ...unauthorized("expired"), reconnect: false });
      }
      if (revocations.covers(session, this.begunAt, this.#connection.knownId)) {
        return this.#refused(unauthorized("revoked"));
      }
      if (points) callHook(policy, "throttle", socket, () => points.giveBack());
      return { type: "accepted", attempt: this.id, session, since: this.begunAt };
    } catch (error) {
      policy.report(error, { during: "session", socket });
      return this.#refused(unauthorized("server_error"));
    }
  }

  /** A client that is still joining can be asked once its namespace is connected. */
  #whenConnected(fn: () => void): void {
    if (!this.#isJoining) return fn();
    this.#onConnected = fn;
    this.answer({ ok: true, reply: undefined });
  }

  #givePlaceBack(): void {
    if (this.#isJoining) this.#guard.journal.count("pending", -1);
    this.#isJoining = false;
  }

  #refused(refusal: Unauthorized): Verdict {
    return { type: "refused", attempt: this.id, refusal };
  }

  #note(verdict: Verdict): void {
    const { clock, journal } = this.#guard;
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
