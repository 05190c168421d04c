import { Attempt } from "./attempt.ts";
import type { Guard } from "./guard.ts";
import { Ledger } from "./holdings.ts";
import type { Peer } from "./interface.ts";
import { causeOf } from "./journal.ts";
import { type Effect, type Event, initial, isAbout, type State, transition } from "./machine.ts";
import { isOverLimit } from "./measure.ts";
import { Newcomer } from "./newcomer.ts";
import type { Notice } from "./notices.ts";
import { CLOSING, Peers } from "./peers.ts";
import { type Acknowledge, type Declined, type Unauthorized, unauthorized } from "../protocol.ts";
import type { Whose } from "./revocations.ts";
import { isSame } from "./same.ts";
import { endOf, limitOf, type RevocationTarget, sameUser, type Session } from "./session.ts";
import type { SessionKeys } from "./throttle.ts";
import { startExpiry, startTimer, type Timer } from "./timer.ts";

/**
 * How many namespaces a client may ask for before it is authenticated, repetitions included. Each
 * costs the application a `connection` event, and perhaps a dynamic namespace.
 */
const ASKED_LIMIT = 64;

/** How many attempts are refused while another one runs. */
const DECLINED_LIMIT = 64;

/** The likely reason why the deadline ended a connection. */
type Clue = [notice: Notice, message: string];

const CREDENTIALS_IN_CONNECT = "The deadline ended a connection whose client had sent a payload " +
  "with CONNECT (the option auth of socket.io-client), where credentials are not looked for. " +
  "Give the option handshake: true, or have the client send them in an authentication event.";

/** Names of events in which a client may have meant to send its credentials. */
const LIKE_AUTHENTICATION = /^(auth|log[-_ ]?in|sign[-_ ]?in|token|credential)/i;

/** Returns whether a payload of CONNECT has members other than Socket.IO's own. */
function hasCredentials(payload: unknown): boolean {
  const keys = typeof payload === "object" && payload !== null ? Object.keys(payload) : [];
  return keys.some((key) => key !== "pid" && key !== "offset");
}

/** The phases that take one of the places of `maxPending`. */
const WITH_PLACE: ReadonlySet<State["phase"]> = new Set(["pending", "closing"]);

/** The phases in which a connection may belong to a user. */
const WITH_USER: ReadonlySet<State["phase"]> = new Set(["pending", "authenticated"]);

/** Members that few connections have. As fields they would cost each connection 8 bytes apiece. */
interface Extras<S> {
  /** A sign that the client has sent credentials in the wrong place. */
  clue?: Clue | undefined;
  /** Set once the client was signed out: credentials of the transport belong to the former user. */
  wasSignedOut?: true;
  /** The throttle keys under which the session signed in. */
  keys?: SessionKeys["keys"];
  /** The credentials of the session, for comparison with those of a CONNECT. */
  cameOf?: { readonly credentials: unknown } | undefined;
  /** Sockets whose credentials wait for the attempt in flight. */
  waiting?: readonly Newcomer<S>[];
  ledger?: Ledger;
}

/** An event, with the attempt and the peer concerned. */
interface Entry<S> {
  readonly event: Event;
  readonly attempt: Attempt<S> | undefined;
  readonly peer: Peer<S> | undefined;
}

/** The consequences of an event: further events, then calls into the application. */
interface Turn<S> {
  entries?: Entry<S>[];
  afterwards?: (() => void)[];
  /** The attempt that begins last, unless it is over by then. */
  begun?: Attempt<S>;
}

/**
 * One client connection under one policy. A binding calls the methods of the first part. Each sends
 * an event to the state machine, and `#perform` carries out the effects. An event is completed
 * before the next one begins, even if application code causes the next one in between.
 *
 * @typeParam S the socket as the application knows it
 * @typeParam T the transport of the binding
 */
export class Connection<S, T> {
  readonly guard: Guard<S, T>;
  readonly #transport: T;
  readonly peers: Peers<S>;
  /** Changed only by events. */
  state: State = initial;
  running: Attempt<S> | undefined;
  #turn: Turn<S> | undefined;
  /** The timer of the deadline, of the end of the session, or of the close. */
  timer: Timer | undefined;
  #asked = 0;
  #extras: Extras<S> | undefined;

  constructor(guard: Guard<S, T>, transport: T) {
    this.guard = guard;
    this.#transport = transport;
    this.peers = new Peers(this as Connection<S, unknown>);
    guard.greet();
  }

  // Methods for bindings.

  /**
   * Called for each namespace that the client asks for, with the payload of CONNECT. If it returns
   * a refusal, the binding calls {@linkcode turnAway}.
   */
  refusalToJoin(payload: unknown): Unauthorized | undefined {
    const { isSignedIn } = this;
    if (!isSignedIn && ++this.#asked > ASKED_LIMIT) return unauthorized("too_many_attempts");
    const { handshake, maxCredentials } = this.guard.policy;
    if (!isSignedIn && handshake === false && hasCredentials(payload)) {
      this.#own.clue = ["handshake is off", CREDENTIALS_IN_CONNECT];
    }
    const isTooMuch = isOverLimit(payload, maxCredentials);
    return isTooMuch ? unauthorized("invalid_credentials") : undefined;
  }

  /** Notes that a socket was refused before it was connected. */
  turnAway(peer: Peer<S>, refusal: Unauthorized): void {
    const { journal, policy } = this.guard;
    const { code } = refusal;
    const isLimit = code === "too_many_attempts" || code === "server_busy";
    const isAttempt = policy.handshake !== false && code !== "too_many_attempts";
    if (isAttempt) journal.noteAttempt(peer, code, () => ({ duration: 0 }));
    // With such a refusal the socket is not counted as pending.
    if (!isLimit) this.peers.expect(peer);
    this.peers.refuse(peer, refusal);
    if (this.isSignedIn) return;
    if (isLimit) this.end(refusal);
    else this.reject(refusal);
  }

  /** A socket has come while the client is about to be closed. It is told to stay away then. */
  drop(peer: Peer<S>): void {
    this.peers.expect(peer);
  }

  /**
   * Verifies credentials that came with a CONNECT, as those of an `authentication` event, one
   * attempt at a time. Credentials equal to those of the session or of the attempt in flight are
   * not verified again.
   */
  handshake(peer: Peer<S>, credentials: unknown, acknowledge: Acknowledge): void {
    if (this.state.phase === "idle" && this.guard.journal.isFull) {
      const refusal = this.guard.busy("server_busy");
      acknowledge({ ok: false, ...refusal });
      return this.turnAway(peer, refusal);
    }
    this.peers.expect(peer);
    this.#take(new Newcomer(peer, credentials, acknowledge));
    this.#countSockets();
  }

  /** A namespace was connected; the application has not met the socket yet. */
  join(peer: Peer<S>): void {
    const { previous } = peer;
    const { phase } = this.state;
    if (previous) this.#adopt(previous);
    const refusal = phase === "closing"
      ? undefined
      : this.guard.objectionTo(previous, phase === "idle");
    this.peers.add(peer);
    if (refusal && phase === "authenticated") this.peers.refuse(peer, refusal);
    else if (refusal) this.end(refusal);
    // The socket waits for the outcome of the credentials that it has brought.
    else if (this.running?.has(peer)) this.running.joined();
    else this.dispatch({ type: "joined", previous }, undefined, peer);
    this.#countSockets();
    if (peer.session || !peer.connected) return;
    this.guard.journal.note(peer, () => ({ type: "pending" }));
    if (this.guard.policy.connection === "connected") this.peers.introduce(peer);
  }

  /** A namespace was disconnected, or will not be connected. */
  leave(peer: Peer<S>, reason: string): void {
    const { running } = this;
    if (running?.left(peer)) this.dispatch({ type: "abandoned", attempt: running.id });
    const { waiting } = this;
    if (waiting.length > 0) this.#wait(waiting.filter((newcomer) => newcomer.peer !== peer));
    this.peers.forget(peer);
    if (this.peers.has(peer)) this.peers.remove(peer, reason);
    this.#countSockets();
    this.checkDeserted();
  }

  authenticate(peer: Peer<S>, credentials: unknown, acknowledge: Acknowledge | undefined): void {
    // What comes after the deadline is late, even if its timer has not fired.
    this.timer?.catchUp();
    if (peer.connected) this.#submit(peer, credentials, acknowledge);
  }

  /** The client has sent another event before it is signed in. */
  heard(name: unknown): void {
    if (typeof name !== "string" || !LIKE_AUTHENTICATION.test(name) || this.#extras?.clue) return;
    const shown = JSON.stringify(name.slice(0, 40));
    this.#own.clue = [
      "another event",
      `The deadline ended a connection that had sent the event ${shown} instead of ` +
      '"authentication", which is the one that credentials come in.',
    ];
  }

  /** Signs the client out, which begins a new sign-in. */
  signOut(): void {
    if (this.#extras) this.#extras.clue = undefined;
    this.dispatch({ type: "signed_out" });
  }

  end(refusal: Unauthorized): void {
    this.dispatch({ type: "ended", refusal });
  }

  /** Ends the connection because of a limit. Returns whether a socket was told so. */
  cut(code: "too_many_events" | "too_many_attempts" | "server_busy"): boolean {
    const isTold = this.peers.connected.length > 0;
    this.end(code === "server_busy" ? this.guard.busy(code) : unauthorized(code));
    return isTold;
  }

  /** Notes the cut of a connection for a socket that came too late to be told. */
  noteCut(peer: Peer<S>, code: "too_many_events" | "too_many_attempts"): void {
    this.peers.turnAway(peer, unauthorized(code), "unauthorized");
  }

  close(): void {
    this.dispatch({ type: "gone" });
    this.peers.removeAll("transport close");
  }

  get ledger(): Ledger {
    const { holdings, policy } = this.guard;
    return this.#own.ledger ??= new Ledger(
      holdings,
      policy.holdLimit,
      () => this.cut("server_busy"),
    );
  }

  /** Whether the client was refused and is about to be closed: its packets are dropped. */
  get isClosing(): boolean {
    return this.state.phase === "closing";
  }

  get isSignedIn(): boolean {
    return this.state.phase === "authenticated";
  }

  get isEmpty(): boolean {
    return this.peers.isEmpty;
  }

  get session(): Session<unknown> | undefined {
    return this.state.phase === "authenticated" ? this.state.session : undefined;
  }

  /** When the session began, by the monotonic clock; `-Infinity` without a session. */
  get since(): number {
    return this.state.phase === "authenticated" ? this.state.since : -Infinity;
  }

  /** When the sign-in of the session began, by the time of the cluster. */
  get stamp(): number | undefined {
    return this.state.phase === "authenticated" ? this.state.stamp : undefined;
  }

  /**
   * Returns the credentials that the transport of a socket brought, if any. After a sign-out there
   * are none: they belong to the former user.
   *
   * @throws if the option `handshake` throws
   */
  brought(peer: Peer<S>): unknown {
    return this.#extras?.wasSignedOut ? undefined : peer.brought?.();
  }

  /** The id of the connection among those of all nodes. Created on demand: most never need one. */
  get id(): string {
    let id = ids.get(this);
    if (id === undefined) ids.set(this, id = crypto.randomUUID());
    return id;
  }

  /** Takes over the id of a lost connection: a revocation that spares one spares both. */
  #adopt({ connection }: Whose): void {
    if (connection !== undefined && !ids.has(this)) ids.set(this, connection);
  }

  // Methods for revocations.

  /** Returns whether the connection may belong to the target; `revoke` knows for sure. */
  concerns(target: RevocationTarget): boolean {
    return this.#turn !== undefined || isAbout(this.state, target);
  }

  /** Ends the connection if its session is meant. Returns the number of its sockets. */
  revoke(isMeant: (whose: Whose) => boolean, refusal: Unauthorized): number {
    const { length } = this.peers.connected;
    const before = this.state;
    this.dispatch({ type: "revoked", isMeant, refusal });
    return this.state !== before && this.state.phase === "idle" ? length : 0;
  }

  /**
   * Makes the session end at `until` by the monotonic clock, if it is meant and would end later.
   * Returns the number of its sockets.
   */
  limit(isMeant: (whose: Whose) => boolean, until: number): number {
    const before = this.session;
    const { clock } = this.guard;
    const at = clock.now() + until - clock.monotonic();
    this.dispatch({ type: "limited", isMeant, until, at });
    return this.session === before ? 0 : this.peers.connected.length;
  }

  get verifyingSince(): number | undefined {
    return this.running?.begunAt;
  }

  // Methods for attempts and peers.

  reject(refusal: Unauthorized): void {
    this.dispatch({ type: "rejected", refusal });
  }

  /** Ignores packets, for a while, of a client that does not know yet that it has to leave. */
  ignoreClient(): void {
    this.guard.ignore(this.#transport);
  }

  closeTransport(): void {
    this.guard.close(this.#transport);
  }

  /** Ends a session without a socket that is connected or joining. */
  checkDeserted(): void {
    const { running, waiting } = this;
    if (!this.isSignedIn) return;
    const knocking = running ? [...running.newcomers, ...waiting].map(({ peer }) => peer) : [];
    if (this.peers.isDeserted(knocking)) this.dispatch({ type: "deserted" });
  }

  /** Removes and returns the sockets that wait with the credentials of an attempt. */
  takeSame({ arrived }: Attempt<S>, session?: Session<unknown>): Newcomer<S>[] {
    const isMeant = ({ credentials, peer: { previous } }: Newcomer<S>) =>
      isSame(credentials, arrived) && !(session && previous && !sameUser(previous, session));
    const { waiting } = this;
    if (waiting.length === 0) return [];
    this.#wait(waiting.filter((newcomer) => !isMeant(newcomer)));
    return waiting.filter(isMeant);
  }

  get waiting(): readonly Newcomer<S>[] {
    return this.#extras?.waiting ?? [];
  }

  #wait(newcomers: readonly Newcomer<S>[]): void {
    if (newcomers.length > 0 || this.#extras?.waiting) this.#own.waiting = newcomers;
  }

  get sessionKeys(): SessionKeys | undefined {
    const { state } = this;
    const keys = this.#extras?.keys;
    if (state.phase !== "authenticated" || !keys) return undefined;
    return { userId: state.session.userId, keys };
  }

  get #own(): Extras<S> {
    return this.#extras ??= {};
  }

  /** Takes credentials of a CONNECT: they are verified, wait, or belong to the session. */
  #take(newcomer: Newcomer<S>): void {
    const { peer, credentials } = newcomer;
    const cameOf = this.#extras?.cameOf;
    if (cameOf && isSame(credentials, cameOf.credentials)) this.peers.letIn(newcomer);
    else if (this.running) this.#wait([...this.waiting, newcomer]);
    else this.#submit(peer, credentials, newcomer);
  }

  #submit(
    peer: Peer<S>,
    credentials: unknown,
    from: Newcomer<S> | Acknowledge | undefined,
  ): void {
    const { previous } = peer;
    const id = ++attempts;
    const attempt = new Attempt(id, this as Connection<S, unknown>, peer, credentials, from);
    if (previous) this.#adopt(previous);
    const { isBrought } = attempt;
    this.dispatch({ type: "credentials", attempt: id, previous, isBrought }, attempt);
  }

  // The machine and its effects.

  /** Sends an event to the machine, with the attempt and the peer concerned. */
  dispatch(event: Event, attempt?: Attempt<S>, peer?: Peer<S>): void {
    let entry: Entry<S> | undefined = { event, attempt, peer };
    if (this.#turn) return void (this.#turn.entries ??= []).push(entry);
    const turn: Turn<S> = this.#turn = {};
    try {
      for (; entry; entry = turn.entries?.shift()) {
        const { phase } = this.state;
        const { state, effects } = transition(this.state, entry.event, this.guard.policy);
        this.state = state;
        if (state.phase !== phase) this.#enter(state.phase, phase);
        for (const effect of effects) this.#perform(effect, entry);
      }
    } finally {
      // Reset even after a throw: otherwise later events, such as the deadline, would never run.
      this.#turn = undefined;
    }
    for (const call of turn.afterwards ?? []) call();
    // The verifier's answer counts at once, even before its call returns.
    if (turn.begun && turn.begun === this.running) turn.begun.begin();
  }

  /**
   * Calls into the application once the event is completed, so that calls of the application, such
   * as a sign-out, take effect at once.
   */
  afterwards(call: () => void): void {
    if (!this.#turn) call();
    else if (this.#turn.afterwards) this.#turn.afterwards.push(call);
    // Most turns have one: an array that grows reserves room for sixteen more.
    else this.#turn.afterwards = [call];
  }

  /** Registers the connection for revocations and counts its place, by its new phase. */
  #enter(phase: State["phase"], before: State["phase"]): void {
    const { journal, revocations } = this.guard;
    if (!WITH_USER.has(phase)) revocations.connections.delete(this);
    else if (!WITH_USER.has(before)) revocations.connections.add(this);
    if (before === "authenticated" && this.#extras) this.#extras.cameOf = undefined;
    const change = Number(WITH_PLACE.has(phase)) - Number(WITH_PLACE.has(before));
    if (change !== 0) journal.count("pendingConnections", change);
    if (change > 0 || this.#extras?.ledger) this.#countSockets();
  }

  /** Counts the cost of sockets while the connection is pending; the first one costs nothing. */
  #countSockets(): void {
    const count = WITH_PLACE.has(this.state.phase) ? this.peers.count : 0;
    if (count > 1 || this.#extras?.ledger) this.ledger.countSockets(Math.max(count - 1, 0));
  }

  #perform(effect: Effect, { event, attempt, peer }: Entry<S>): void {
    switch (effect.type) {
      case "verify":
        this.running = this.#turn!.begun = attempt!;
        return;
      case "decline":
        return this.#decline(attempt!, effect.refusal, event);
      case "let_in":
        return this.afterwards(() => attempt === this.running && attempt?.letIn());
      case "abort":
        return this.#abort(effect.refusal, event);
      case "start_deadline":
        return this.#startDeadline(effect.ms);
      case "pause_deadline":
        return this.timer?.pause();
      case "resume_deadline":
        return this.timer?.resume();
      case "start_expiry":
        return this.#startExpiry(effect.session);
      case "start_closing":
        return this.#startClosing();
      case "stop_timer":
        return this.#stopTimer();
      case "admit":
        this.#asked = 0;
        return this.peers.admit(this.#accepted(), effect.session);
      case "admit_joined":
        return this.peers.admitJoined(peer!);
      case "silence_joined":
        return peer!.silence();
      case "tell_end":
        return this.peers.tellEnd(effect.session);
      case "keep_end":
        return this.peers.replaceSession(effect.session);
      case "refresh":
        return this.peers.refresh(this.#accepted(), effect.session);
      case "tell_sender":
        return this.peers.tellSender(attempt!.peer, effect.refusal);
      case "tell":
        return this.peers.end(effect.refusal, causeOf(event));
      case "replace":
        this.#own.wasSignedOut = true;
        return this.peers.replace();
      case "close":
        this.peers.disconnect();
        return this.closeTransport();
    }
  }

  #startDeadline(ms: number): void {
    this.#stopTimer();
    if (ms === Infinity) return;
    this.timer = startTimer(this.guard.clock, ms, () => {
      const { running } = this;
      if (running) running.explainSilence();
      else this.#explainSilence();
      // A verification that took too long is a sign of load: the client has to wait.
      const refusal = running ? this.guard.busy("timeout") : unauthorized("timeout");
      this.dispatch({ type: "deadline", refusal, isAsked: running?.isVerifying ?? false });
    });
    if (this.running?.isChallenged) this.timer.pause();
  }

  #startExpiry(session: Session<unknown>): void {
    this.#stopTimer();
    const { clock, policy } = this.guard;
    const at = endOf(session, policy.grace);
    const expire = () => this.dispatch({ type: "expired" });
    this.timer = startExpiry(clock, at, limitOf(session), expire);
  }

  #startClosing(): void {
    this.#stopTimer();
    this.ignoreClient();
    this.timer = startTimer(this.guard.clock, CLOSING, () => this.dispatch({ type: "closed" }));
  }

  #stopTimer(): void {
    this.timer?.stop();
    this.timer = undefined;
  }

  /** Reports the likely reason why the client did not sign in before the deadline. */
  #explainSilence(): void {
    if (!this.#extras?.clue) return;
    const [notice, message] = this.#extras.clue;
    const socket = this.peers.connected[0]?.socket;
    this.guard.notices.hourly(notice, message, { during: "timeout", ...socket && { socket } });
  }

  #decline(attempt: Attempt<S>, refusal: Declined, event: Event): void {
    if (refusal.code === "subject_mismatch" && refusal.kept) {
      const { socket } = attempt.peer;
      this.guard.identities.miss("a second sign-in in its session is declined", { socket });
    }
    this.#endAttempt(attempt, refusal, event);
    const { running } = this;
    if (refusal.code !== "attempt_in_progress" || !running) return;
    if (++running.declined > DECLINED_LIMIT) this.cut("too_many_attempts");
  }

  #abort(refusal: Declined | undefined, event: Event): void {
    const attempt = this.running;
    this.running = undefined;
    const { phase } = this.state;
    if (phase !== "authenticated") this.peers.fallBehind();
    if (attempt) this.#endAttempt(attempt, refusal, event);
    const isOver = phase === "idle" || phase === "closing" || event.type === "signed_out";
    const { waiting } = this;
    if (isOver) this.#wait([]);
    const refused = isOver
      ? waiting
      : attempt && event.type === "refused"
      ? this.takeSame(attempt)
      : [];
    for (const newcomer of refused) this.#turnDown(newcomer, refusal, event);
    if (isOver && refusal) this.peers.refuseComing(refusal, causeOf(event));
    this.#takeWaiting();
  }

  #endAttempt(attempt: Attempt<S>, refusal: Declined | undefined, event: Event): void {
    attempt.end(refusal);
    for (const newcomer of attempt.newcomers) this.#turnDown(newcomer, refusal, event);
  }

  /** If attempts are left, a refused client may ask again, and is not told to stay away. */
  #turnDown(newcomer: Newcomer<S>, refusal: Declined | undefined, event: Event): void {
    const mayAskAgain = this.state.phase === "pending" && event.type === "refused";
    this.peers.turnDown(newcomer, refusal, causeOf(event), mayAskAgain);
  }

  /** Continues with the sockets that have waited for the end of the attempt. */
  #takeWaiting(): void {
    if (this.waiting.length === 0) return;
    this.afterwards(() => {
      // Until one is verified. Each may end the connection, and none waits then.
      while (!this.running && this.waiting.length > 0) {
        const [next, ...others] = this.waiting;
        this.#wait(others);
        this.#take(next!);
      }
      this.checkDeserted();
    });
  }

  #accepted(): Attempt<S> {
    const attempt = this.running!;
    this.running = undefined;
    attempt.end();
    if (attempt.points) this.#own.keys = attempt.points.keys;
    if (this.guard.policy.handshake === true) {
      this.#own.cameOf = { credentials: attempt.arrived };
    }
    if (this.#extras?.waiting) this.#takeWaiting();
    return attempt;
  }
}

let attempts = 0;

const ids = new WeakMap<object, string>();
