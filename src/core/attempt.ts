import { Dialog } from "./challenge.ts";
import { callHook } from "./contain.ts";
import type { Connection } from "./connection.ts";
import type { Guard } from "./guard.ts";
import type { Peer } from "./interface.ts";
import type { Newcomer } from "./newcomer.ts";
import type { Delay } from "./notices.ts";
import {
  type Acknowledge,
  type Code,
  type Declined,
  type Outcome,
  type Unauthorized,
  unauthorized,
} from "../protocol.ts";
import type { Whose } from "./revocations.ts";
import { type Rights, rightsOf } from "./rights.ts";
import { Screening } from "./screening.ts";
import { isExpired, limit, type Session, subjectOf } from "./session.ts";
import type { Event } from "./states.ts";
import type { Points, SessionKeys } from "./throttle.ts";
import { Timer } from "./timer.ts";
import type { Admission } from "./users.ts";
import { type Verdict, Verification } from "./verifier.ts";

/** How long a verifier may take where no deadline runs, in ms; challenges apart. */
const ANSWER_LIMIT = 30_000;

/** The code of an attempt whose client has left, for those who observe. */
const ABANDONED = "abandoned";

/** Refusals that say nothing about the credentials, or that the verifier found them good. */
const NO_VERDICT: ReadonlySet<string> = new Set<Code>([
  "server_error",
  "timeout",
  "too_many_attempts",
  "expired",
]);

/** An event of the machine that tells what has come of credentials. */
type Judged = Extract<Event, { type: "verified" | "accepted" | "forbidden" | "refused" }>;

/** The same, but for what says whose it is. */
type Judgment = Judged extends infer J ? J extends Judged ? Omit<J, "attempt" | "isBrought"> : never
  : never;

const SCREENING: Delay = {
  during: "throttle",
  notice: "screening",
  message: "The deadline ended an attempt before the verifier was asked: the schema of the " +
    "option credentials or the option throttle had not answered.",
};

const AUTHORIZING: Delay = {
  during: "authorize",
  notice: "authorizing",
  message: "The deadline ended an attempt while authorize was still running. Make it faster, or " +
    "raise the option timeout.",
};

const LETTING_IN: Delay = {
  during: "gate",
  notice: "letting in",
  message: "The deadline ended an attempt whose credentials are good, before its socket was " +
    "connected: a middleware of the namespace had not called next, or what a recovered socket " +
    "has missed was not to be had. Make that faster, or raise the option timeout.",
};

/**
 * Credentials, from their arrival to what comes of them. The methods stand in the order in which
 * they run: `begin` finds and screens the credentials, `#ask` asks the verifier, `answered` takes
 * its answer, `letIn` asks whether the user may have the namespaces and lets in the sockets that
 * wait, `#judge` looks at the session that would come of it, `#decide` tells the connection, and
 * `end` ends it, for the client, the server and the clock alike.
 */
export class Attempt<S> {
  readonly id: number;
  readonly peer: Peer<S>;
  /** Whether the credentials came with a CONNECT. */
  readonly isBrought: boolean;
  /** The sockets on their way in that have brought the credentials. */
  newcomers: readonly Newcomer<S>[];
  /** When the credentials arrived, by the monotonic clock, and by the time of the cluster. */
  readonly begunAt: number;
  readonly stamp: number;
  /** How many others were declined since it was begun. */
  declined = 0;
  /** What each socket is told with `authenticated`, once the attempt is accepted. */
  replies: ReadonlyMap<Peer<S>, unknown> | undefined;
  readonly #connection: Connection<S, unknown>;
  readonly #guard: Guard<S, unknown>;
  readonly #screening: Screening<S>;
  #acknowledge: Acknowledge | undefined;
  #verification: Verification<S> | undefined;
  /** The session that would come of it, once the verifier has said yes. */
  #session: Session<unknown> | undefined;
  /** What the option `authorize` has answered. */
  #rights: Rights<S> | undefined;
  /** Whether the option `authorize` is being asked. */
  #isAuthorizing = false;
  /** Whether its newcomers have been let in. */
  #isLetIn = false;
  /** Only where no deadline runs. */
  #limit: Timer | undefined;
  /** What is to be done as soon as the client can be talked to. */
  #onConnected: (() => void) | undefined;
  /** Whether the client has a question to answer. */
  isChallenged = false;
  #isAnswered = false;
  #isNoted = false;
  #isOver = false;
  #isAbandoned = false;

  constructor(
    id: number,
    connection: Connection<S, unknown>,
    peer: Peer<S>,
    credentials: unknown,
    from: Newcomer<S> | Acknowledge | undefined,
  ) {
    this.id = id;
    this.peer = peer;
    this.#connection = connection;
    this.#guard = connection.guard;
    this.begunAt = connection.guard.clock.monotonic();
    this.stamp = connection.guard.stamp();
    this.isBrought = typeof from === "object";
    this.#screening = new Screening(connection, peer, credentials, this.isBrought);
    this.newcomers = typeof from === "object" ? [from] : [];
    this.#acknowledge = typeof from === "function" ? from : undefined;
  }

  /** As the schema returned them, where there is one. */
  get credentials(): unknown {
    return this.#screening.credentials;
  }

  /** The credentials before a schema has made anything of them. */
  get arrived(): unknown {
    return this.#screening.arrived;
  }

  /** The keys that the throttles count it under, a list for each throttle. */
  get keys(): SessionKeys["keys"] | undefined {
    return this.#points?.keys;
  }

  get #points(): Points<S> | undefined {
    return this.#screening.points;
  }

  /** Whether the verifier was asked. */
  get isAsked(): boolean {
    return this.#verification !== undefined;
  }

  /** Whether it was asked, and has not answered. */
  get isVerifying(): boolean {
    return this.isAsked && !this.#isAnswered;
  }

  /** Begins it; within a time of its own if no deadline bounds it. */
  begin(isBounded: boolean): void {
    if (!isBounded) this.#startLimit();
    const screening = this.#screening;
    const refusal = screening.look();
    if (refusal) return this.#refuse(refusal);
    if (!screening.takesTime) return this.#ask();
    void screening.finish().then((refusal) => {
      // The deadline may be over by now: the verifier is not asked for nothing.
      this.#connection.lookAtClock();
      if (this.#isOver) return;
      if (refusal) this.#refuse(refusal);
      else this.#ask();
    });
  }

  #ask(): void {
    this.#verification = new Verification(this.#guard, this);
    this.#verification.begin(this.credentials);
  }

  /** The verifier has answered, be it late. This alone says whether points come back. */
  answered(verdict: Verdict): void {
    this.#isAnswered = true;
    const { policy, spreading } = this.#guard;
    // It has looked at nothing, if it says so itself or has failed.
    const isNo = "refusal" in verdict && verdict.refusal.code !== "server_error";
    if (isNo || "error" in verdict) this.#points?.spend();
    else this.#giveBack();
    if (this.#isOver) {
      if (isNo && this.#isAbandoned) this.#connection.dispatch({ type: "failed" });
      return;
    }
    if ("error" in verdict) this.#report(verdict.error, policy.decides);
    spreading.served();
    if ("refusal" in verdict) return this.#refuse(verdict.refusal, isNo);
    this.#session = this.#sessionOf(verdict);
    if (!this.#session) return;
    // All that may keep a session from being at once.
    if (policy.authorize || this.isBrought) this.#prepare();
    else this.#catchUp();
  }

  #sessionOf(admission: Admission<unknown>): Session<unknown> | undefined {
    const { clock, identities } = this.#guard;
    try {
      return identities.sessionOf(admission, clock.now(), this.peer.socket);
    } catch (error) {
      this.#refuse(this.#fail(error, "session"));
    }
  }

  /** Has the connection let sockets in, if it may belong to this user. */
  #prepare(): void {
    const objection = this.#objection;
    if (objection) return this.#refuse(objection);
    this.#decide(this.#come("verified", this.#session!));
  }

  /** Why the session must not be, if so. */
  get #objection(): Unauthorized | undefined {
    const { policy, clock, revocations } = this.#guard;
    // With the same credentials it would be no better.
    if (isExpired(this.#session!, clock, policy.grace)) {
      return { ...unauthorized("expired"), reconnect: false };
    }
    // What was lost is worth nothing any more, and the client begins anew.
    const isWorthless = ({ previous }: Peer<S>) =>
      previous && revocations.limitOf(previous) <= clock.monotonic();
    const isLost = this.#connection.peers.concerned(this).some(isWorthless);
    return isLost ? unauthorized("expired") : this.#revocation;
  }

  /** Why the session must not be because it was revoked, if so. */
  get #revocation(): Unauthorized | undefined {
    return this.#guard.revocations.refusalFor(this.#whose);
  }

  get #whose(): Whose {
    const { id: connection, stamp = this.stamp } = this.#connection;
    return { ...subjectOf(this.#session!), since: this.begunAt, stamp, connection };
  }

  /** Asks whether the user may have the namespaces, and lets in the sockets that wait. */
  letIn(): void {
    // Whoever comes while it is asked is asked about then.
    if (this.#isAuthorizing) return;
    this.newcomers = [...this.newcomers, ...this.#connection.takeSame(this, this.#session!)];
    const peers = this.#connection.peers.concerned(this).filter((peer) => !this.#rights?.has(peer));
    const { policy } = this.#guard;
    if (!policy.authorize || peers.length === 0) return this.#open();
    this.#isAuthorizing = true;
    rightsOf(policy, this.#session!.user, peers).then((rights) => {
      this.#isAuthorizing = false;
      this.#connection.lookAtClock();
      if (this.#isOver) return;
      this.#rights = new Map([...this.#rights ?? [], ...rights]);
      this.letIn();
    }, (error) => {
      if (!this.#isOver) this.#refuse(this.#fail(error, "authorize"), false);
    });
  }

  /** Lets in the sockets that may have their namespace. The session needs one that may. */
  #open(): void {
    const isForbidden = ({ peer }: { peer: Peer<S> }) => this.refusalOf(peer) !== undefined;
    const forbidden = this.newcomers.filter(isForbidden);
    this.newcomers = this.newcomers.filter((newcomer) => !isForbidden(newcomer));
    this.#connection.peers.forbid(this, forbidden);
    if (!this.#candidates.some((peer) => this.isAllowed(peer))) {
      const refusal = this.refusalOf(this.peer) ?? unauthorized("forbidden");
      return this.#decide({ type: "forbidden", refusal });
    }
    this.#isLetIn = true;
    for (const newcomer of this.newcomers) newcomer.letIn();
    if (this.#hasSocket) this.#catchUp();
  }

  /** Why a socket must not have its namespace, as far as that was asked. */
  refusalOf(peer: Peer<S>): Unauthorized | undefined {
    return this.#rights?.get(peer);
  }

  /** Whether a socket may have its namespace, as far as that has to be asked. */
  isAllowed(peer: Peer<S>): boolean {
    if (!this.#guard.policy.authorize) return true;
    return this.#rights?.has(peer) === true && !this.#rights.get(peer);
  }

  /** The sockets that the session can begin with: those that have brought the credentials. */
  get #candidates(): readonly Peer<S>[] {
    const isOfNewcomers = this.isBrought &&
      (this.newcomers.length > 0 || this.#connection.isSignedIn);
    return isOfNewcomers
      ? this.newcomers.map(({ peer }) => peer)
      : this.#connection.peers.concerned(this);
  }

  /** Whether one of them is connected. */
  get #hasSocket(): boolean {
    return this.#candidates.some((peer) =>
      this.#connection.peers.hasConnected(peer) && this.isAllowed(peer)
    );
  }

  /** Whether a socket has brought the credentials, and has not left. */
  has(peer: Peer<S>): boolean {
    return this.newcomers.some((newcomer) => newcomer.peer === peer);
  }

  /** A socket is connected that has brought the credentials. */
  joined(): void {
    this.#onConnected?.();
    this.#onConnected = undefined;
    // Others may have come while its namespace's middleware ran.
    if (this.#isLetIn) this.letIn();
  }

  /** A socket has left. Returns whether there is nobody left whom the attempt is for. */
  left(peer: Peer<S>): boolean {
    const isConcerned = peer === this.peer || this.has(peer);
    this.newcomers = this.newcomers.filter((newcomer) => newcomer.peer !== peer);
    if (!isConcerned) return false;
    // Before there is an answer it is of the socket alone that has sent the credentials.
    if (!this.#session) return peer === this.peer;
    const isSenderIn = peer !== this.peer && this.#connection.peers.hasConnected(this.peer);
    if (this.newcomers.length > 0 || isSenderIn && !this.isBrought) return false;
    // A sender that may not have its namespace was told to go; the others may have theirs.
    const isLeft = (other: Peer<S>) => other !== peer && this.isAllowed(other);
    return !this.refusalOf(this.peer) || !this.#connection.peers.concerned(this).some(isLeft);
  }

  #catchUp(): void {
    if (this.#isOver) return;
    this.#connection.peers.whenCaughtUp(this, this.#session!, () => this.#judge());
  }

  /** The user is known, and so is what a recovered client has missed. */
  #judge(): void {
    // It may have left meanwhile.
    if (this.#isOver || !this.#hasSocket) return;
    const objection = this.#objection;
    if (objection) return this.#refuse(objection);
    const session = this.#limited();
    if (!session) return;
    try {
      this.replies = this.#connection.peers.repliesOf(this, session);
    } catch (error) {
      return this.#refuse(this.#fail(error, "reply"));
    }
    this.#decide(this.#come("accepted", session));
  }

  /**
   * The session, with the end that it has where the rights have changed since the attempt began. If
   * that is over, refuses the attempt: the next one is welcome.
   */
  #limited(): Session<unknown> | undefined {
    const { clock, policy, revocations } = this.#guard;
    const until = revocations.limitOf(this.#whose);
    const session = limit(this.#session!, until, clock.now() + until - clock.monotonic());
    if (!isExpired(session, clock, policy.grace)) return session;
    this.#refuse(unauthorized("expired"));
  }

  /** What there is to tell of a session that comes of it. */
  #come<T extends "verified" | "accepted">(type: T, session: Session<unknown>) {
    return { type, session, since: this.begunAt, stamp: this.stamp };
  }

  /** Something has failed that the client is told no more about than that. */
  #fail(error: unknown, during: string): Unauthorized {
    this.#report(error, during);
    return unauthorized("server_error");
  }

  #refuse(refusal: Unauthorized, isVerdict: boolean = !NO_VERDICT.has(refusal.code)): void {
    // With a yes it was no guess.
    const isAsked = this.isAsked && !this.#session;
    this.#decide({ type: "refused", refusal, isVerdict, isAsked });
  }

  /** Tells the connection what has come of it, if that is not too late. */
  #decide(judged: Judgment): void {
    this.#connection.lookAtClock();
    if (this.#isOver) return;
    const { id: attempt, isBrought } = this;
    if (judged.type === "accepted") {
      // Whoever observes may revoke the session, have it renewed, or end the attempt.
      this.#note(judged.session);
      const refusal = this.#revocation;
      if (refusal) return this.#refuse(refusal);
      const session = this.#limited();
      if (!session) return;
      judged = { ...judged, session };
    }
    this.#connection.dispatch({ ...judged, attempt, isBrought }, this);
  }

  /**
   * Ends it, and answers the client if it is refused. Without a refusal the attempt was accepted,
   * or the client has left. The verifier may still answer, for the throttle.
   */
  end(refusal?: Declined): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#screening.end();
    this.#isAbandoned = !refusal;
    this.#note(refusal?.code ?? ABANDONED);
    this.#limit?.stop();
    if (this.#verification) this.#points?.spendInTime();
    else this.#giveBack();
    this.#verification?.abort();
    if (refusal) this.answer({ ok: false, ...refusal });
  }

  /** Answers the client, if it has asked for that and has not been answered yet. */
  answer(outcome: Outcome): void {
    const acknowledge = this.#acknowledge;
    this.#acknowledge = undefined;
    acknowledge?.(outcome);
  }

  /** Opens what the verifier may ask the client further questions through. */
  openDialog(): Dialog<S> {
    const { clock, policy } = this.#guard;
    const whenConnected = (fn: () => void) => this.#whenConnected(fn);
    return new Dialog(this.peer, clock, policy.maxCredentials, whenConnected, (type) => {
      this.isChallenged = type === "challenged";
      if (this.isChallenged) this.#limit?.pause();
      else this.#limit?.resume();
      this.#points?.setAside(this.isChallenged);
      this.#connection.dispatch({ type, attempt: this.id });
    });
  }

  /** A client that is still joining can be asked once its namespace is connected. */
  #whenConnected(fn: () => void): void {
    if (this.peer.connected) return fn();
    this.#onConnected = fn;
    this.newcomers[0]?.letIn();
  }

  /** Tells the operator why the deadline may have ended it. */
  explainSilence(): void {
    const { during, notice, message } = this.#delay;
    this.#guard.notices.hourly(notice, message, { during, socket: this.peer.socket });
  }

  get #delay(): Delay {
    if (!this.#verification) return SCREENING;
    if (this.#isLetIn || this.#session && !this.#guard.policy.authorize) return LETTING_IN;
    return this.#session ? AUTHORIZING : this.#verification.delay;
  }

  #startLimit(): void {
    const { clock } = this.#guard;
    const { monotonic } = clock;
    this.#limit = new Timer(clock, monotonic, monotonic() + ANSWER_LIMIT, () => {
      this.explainSilence();
      this.#refuse(this.#guard.busy("timeout"));
    });
  }

  /** Gives back what it has taken: it was no failed guess. */
  #giveBack(): void {
    if (!this.#points) return;
    const { socket } = this.peer;
    callHook(this.#guard.policy, { during: "throttle", socket }, () => this.#points!.giveBack());
  }

  /** Notes what has come of it, once. What came while another attempt ran was none. */
  #note(outcome: Session<unknown> | string): void {
    if (this.#isNoted || outcome === "attempt_in_progress") return;
    this.#isNoted = true;
    this.#guard.journal.noteAttempt(this.peer, outcome, () => ({
      duration: this.#guard.clock.monotonic() - this.begunAt,
      ...this.#verification && { verification: this.#verification.duration },
    }));
  }

  #report(error: unknown, during: string): void {
    this.#guard.policy.report(error, { during, socket: this.peer.socket });
  }
}
