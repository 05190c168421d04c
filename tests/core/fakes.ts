import type { Origin } from "../../src/core/events.ts";
import { Guard } from "../../src/core/guard.ts";
import type { Binding, Clock, Peer } from "../../src/core/interface.ts";
import type { Policy } from "../../src/core/policy.ts";
import type { Session } from "../../src/core/session.ts";
import type { Previous } from "../../src/core/states.ts";

/** A clock that stands still until it is told to go on. */
export class FakeClock implements Clock {
  #time = 0;
  /** How far the wall clock is ahead of the monotonic one. */
  wallOffset: number = 1_000_000;
  #timers = new Map<number, { at: number; fn: () => void }>();
  #ids = 0;

  readonly now = (): number => this.#time + this.wallOffset;
  readonly monotonic = (): number => this.#time;

  after(ms: number, fn: () => void): () => void {
    const id = ++this.#ids;
    this.#timers.set(id, { at: this.#time + ms, fn });
    return () => void this.#timers.delete(id);
  }

  /** Timers that have neither fired nor been taken back. */
  get pending(): number {
    return this.#timers.size;
  }

  /** The timer that fires first; of several at a time, the oldest, which come in that order. */
  get #first(): [id: number, timer: { at: number; fn: () => void }] | undefined {
    let first: [number, { at: number; fn: () => void }] | undefined;
    for (const entry of this.#timers) if (!first || entry[1].at < first[1].at) first = entry;
    return first;
  }

  /** Lets `ms` milliseconds pass in which no timer has its turn, as in a process that is busy. */
  block(ms: number): void {
    this.#time += ms;
  }

  /** Lets `ms` milliseconds pass, firing timers in order. */
  advance(ms: number): void {
    const end = this.#time + ms;
    for (;;) {
      const due = this.#first;
      if (!due || due[1].at > end) break;
      const [id, { at, fn }] = due;
      this.#timers.delete(id);
      this.#time = Math.max(this.#time, at);
      fn();
    }
    this.#time = end;
  }
}

/** A peer that writes down what is done to it. */
export class FakePeer implements Peer<string> {
  readonly socket: string;
  connected = true;
  connectedAt = 1_000_000;
  previous: Previous | undefined;
  session: Session<unknown> | undefined;
  readonly done: string[] = [];
  /** Answers the challenge that is open. */
  answer: ((answer: unknown) => void) | undefined;
  isOpen = false;
  isOver = false;

  constructor(socket: string) {
    this.socket = socket;
  }

  origin(): Origin {
    return { socketId: this.socket, namespace: "/" };
  }
  send(event: string, payload?: unknown): void {
    const { code } = Object(payload);
    this.done.push(code ? `${event} ${code}` : event);
  }
  challenge(data: unknown, onAnswer: (answer: unknown) => void): () => void {
    this.done.push(`challenge ${data}`);
    this.answer = onAnswer;
    return () => this.answer = undefined;
  }
  open(): void {
    this.isOpen = true;
    this.done.push("open");
  }
  deliver(): void {
    this.done.push("deliver");
  }
  introduce(): void {
    this.done.push("introduce");
  }
  silence(): void {
    this.isOver = true;
    if (this.isOpen) this.done.push("silence");
    this.isOpen = false;
  }
  disconnect(): void {
    this.connected = false;
    this.done.push("disconnect");
  }
  replace(): void {
    this.connected = false;
    this.done.push("replace");
  }
}

/** A server of plain objects, with connections that are told of rather than closed. */
export class FakeBinding implements Binding<unknown> {
  readonly name: string = "server";
  readonly recoverable: number;
  readonly clock: FakeClock = new FakeClock();
  isInUse = false;
  /** Transports that were closed, and dropped. */
  readonly closed: Set<unknown> = new Set();
  readonly dropped: Set<unknown> = new Set();

  constructor(recoverable = 0) {
    this.recoverable = recoverable;
  }

  isShared(): boolean {
    return this.isInUse;
  }
  close(transport: unknown): void {
    this.closed.add(transport);
  }
  drop(transport: unknown): void {
    this.dropped.add(transport);
  }
}

/** A policy at work on such a server. */
export class FakeGuard extends Guard<string, unknown> {
  readonly binding: FakeBinding;
  declare readonly clock: FakeClock;

  constructor(policy: Policy<string>, recoverable = 0) {
    const binding = new FakeBinding(recoverable);
    super(policy, binding);
    this.binding = binding;
  }
  get isClosed(): boolean {
    return this.binding.closed.size > 0;
  }
}
