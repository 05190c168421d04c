import type { VerifyContext } from "../../mod.ts";
import { Connection } from "../../src/core/connection.ts";
import type { Outcome } from "../../src/protocol.ts";
import { type FakeGuard, FakePeer } from "./fakes.ts";

/** An attempt that the verifier was asked about. */
export interface Attempt {
  readonly challenge: VerifyContext["challenge"];
  /** Answers: with a user, or else with a refusal. */
  answer(user?: unknown): void;
}

/** One of several clients of a guard, with what is known of it. */
export class Client {
  readonly connection: Connection<string, unknown>;
  /** Its sockets, those that have left included. */
  readonly peers: FakePeer[] = [];
  /** Those whose handshake is being verified. */
  readonly atTheDoor: Set<FakePeer> = new Set();
  /** Those that were refused there, and have not been told to stay away. */
  readonly refused: Set<FakePeer> = new Set();
  /** Attempts that the verifier was asked about; whoever sets up the verifier fills it. */
  readonly attempts: Attempt[] = [];
  /** What it was told about its credentials. */
  readonly outcomes: Outcome[] = [];
  /** How many sessions of its have come to an end with their last socket. */
  sessions = 0;
  readonly #guard: FakeGuard;
  #hasCome = false;
  #isLost = false;

  constructor(guard: FakeGuard) {
    this.#guard = guard;
    this.connection = new Connection(guard, this);
  }

  get connected(): FakePeer[] {
    return this.peers.filter((peer) => peer.connected);
  }

  /** Whether its transport is gone, or to be closed. */
  get isOver(): boolean {
    return this.#isLost || this.#guard.binding.closed.has(this);
  }

  /** Whether the deadline concerns it; sockets that come and go do not matter. */
  get isPending(): boolean {
    const isToGo = this.isOver || this.connection.isClosing;
    return this.#hasCome && !isToGo && !this.connected.some(({ session }) => session);
  }

  get isAsked(): boolean {
    return this.connected.some(({ answer }) => answer);
  }

  join(): void {
    const peer = this.#newPeer();
    this.peers.push(peer);
    this.connection.join(peer);
  }

  /** The same, with credentials. */
  handshake(): void {
    const peer = this.#newPeer();
    peer.connected = false;
    this.atTheDoor.add(peer);
    this.connection.handshake(peer, {}, (outcome) => {
      this.outcomes.push(outcome);
      this.atTheDoor.delete(peer);
      if (!outcome.ok) return void this.refused.add(peer);
      peer.connected = true;
      this.peers.push(peer);
      queueMicrotask(() => peer.connected && this.connection.join(peer));
    });
  }

  submit(): void {
    const [peer] = this.connected;
    if (!peer) return;
    this.connection.authenticate(peer, {}, (outcome) => this.outcomes.push(outcome));
  }

  leave(): void {
    const [peer] = this.connected;
    if (peer) this.#remove(peer);
  }

  /** Its transport is gone. */
  lose(): void {
    for (const peer of this.connected) this.#remove(peer);
    this.atTheDoor.clear();
    this.refused.clear();
    this.connection.close();
    this.#isLost = true;
  }

  #newPeer(): FakePeer {
    const peer = new FakePeer("socket");
    this.#hasCome = true;
    const { disconnect } = peer;
    peer.disconnect = () => {
      disconnect.call(peer);
      this.#remove(peer);
    };
    return peer;
  }

  #remove(peer: FakePeer): void {
    peer.connected = peer.isOpen = false;
    this.refused.delete(peer);
    this.connection.leave(peer, "left");
    // The session was over with its last socket: whoever comes next comes anew.
    if (peer.session && this.connected.length === 0) {
      this.#hasCome = false;
      this.sessions++;
    }
  }
}
