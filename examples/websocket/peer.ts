import type { WebSocket } from "ws";
import type { Connection } from "../../src/core/connection.ts";
import type { Origin } from "../../src/core/events.ts";
import type { Ledger } from "../../src/core/holdings.ts";
import type { Peer } from "../../src/core/interface.ts";
import type { Policy } from "../../src/core/policy.ts";
import type { Session } from "../../src/core/session.ts";
import { type Owner, Waiting } from "../../src/core/waiting.ts";
import { AUTHENTICATION, CHALLENGE } from "../../src/protocol.ts";
import { type EventMessage, type Message, Socket } from "./socket.ts";

/** Who is there, and what the application does with them. */
export class Room {
  /** The peer that each WebSocket has now, signed in or not. */
  readonly peers: Map<WebSocket, WebSocketPeer> = new Map();
  /** Every socket that the application may still hold. */
  readonly known: WeakMap<object, WebSocketPeer> = new WeakMap();
  readonly onConnection: (socket: Socket) => void;

  constructor(onConnection: (socket: Socket) => void) {
    this.onConnection = onConnection;
  }
}

/** One socket of a client: translates between a WebSocket and the core, and decides nothing. */
export class WebSocketPeer implements Peer<Socket>, Owner {
  readonly socket: Socket;
  readonly connectedAt: number = Date.now();
  readonly connection: Connection<Socket, WebSocket>;
  connected = true;
  readonly #ws: WebSocket;
  readonly #room: Room;
  readonly #address: string | undefined;
  #session: Session<unknown> | undefined;
  #waiting: Waiting<Message, Message> | undefined;
  #isIntroduced = false;
  /** Takes the answer to the challenge that is open. */
  #onAnswer: ((answer: unknown) => void) | undefined;

  constructor(
    ws: WebSocket,
    connection: Connection<Socket, WebSocket>,
    room: Room,
    address?: string,
  ) {
    this.#ws = ws;
    this.connection = connection;
    this.#room = room;
    this.#address = address;
    this.#waiting = new Waiting(this);
    this.socket = new Socket((message) => this.emit(message), () => this.leave("server"));
    room.peers.set(ws, this);
    room.known.set(this.socket, this);
  }

  /** The socket begins, not signed in. */
  join(): void {
    this.#write({ event: "connect", args: [{ id: this.socket.id }] });
    this.connection.join(this);
  }

  get policy(): Policy<Socket> {
    return this.connection.guard.policy;
  }

  get isAdmitted(): boolean {
    return !this.#waiting || this.#waiting.isAdmitted;
  }

  get session(): Session<unknown> | undefined {
    return this.#session;
  }

  set session(session: Session<unknown> | undefined) {
    this.#session = session;
    this.socket.auth = session !== undefined;
  }

  origin(): Origin {
    const address = this.#address;
    return { socketId: this.socket.id, namespace: "/", ...address !== undefined && { address } };
  }

  send(event: string, ...args: unknown[]): void {
    this.#write({ event, args });
  }

  /** Challenges have an id of their own: nothing else that is asked is answered to 0. */
  challenge(data: unknown, onAnswer: (answer: unknown) => void): () => void {
    this.#write({ event: CHALLENGE, args: [data], id: 0 });
    this.#onAnswer = onAnswer;
    return () => this.#onAnswer = undefined;
  }

  open(): void {
    if (!this.#waiting) return;
    this.#waiting.outwards = "open";
    for (const message of this.#waiting.takeOutgoing()) this.#write(message);
  }

  introduce(): void {
    if (this.#isIntroduced) return;
    this.#isIntroduced = true;
    this.#room.onConnection(this.socket);
  }

  deliver(): void {
    const waiting = this.#waiting;
    this.#waiting = undefined;
    for (const message of waiting?.takeIncoming() ?? []) this.#dispatch(message);
  }

  silence(): void {
    this.#waiting?.discard();
    this.#waiting = new Waiting(this);
    this.#waiting.outwards = "over";
  }

  disconnect(): void {
    this.leave("server");
  }

  replace(): void {
    this.leave("server");
    new WebSocketPeer(this.#ws, this.connection, this.#room, this.#address).join();
  }

  get ledger(): Ledger {
    return this.connection.ledger;
  }

  cut(code: "too_many_events"): void {
    this.connection.cut(code);
  }

  report(during: string, error: unknown): void {
    this.policy.report(error, { during, socket: this.socket });
  }

  /** Something for the client that the application has sent. */
  emit(message: Message): void {
    const name = "event" in message ? message.event : "an answer";
    const waiting = this.#waiting;
    if (!waiting || waiting.maySend(message, name, message.args, false)) this.#write(message);
  }

  /** Something that the client has sent. */
  receive(message: Message): void {
    const isAnswer = "answer" in message;
    if (isAnswer && message.answer === 0) return this.#onAnswer?.(message.args[0]);
    if (!isAnswer && message.event === AUTHENTICATION) return this.#authenticate(message);
    if (!isAnswer && !this.isAdmitted) this.connection.heard(message.event);
    const waiting = this.#waiting;
    const passes = !waiting || waiting.mayReceive(message, message.args, isAnswer);
    if (passes) this.#dispatch(message);
  }

  /** The socket is over, and its WebSocket may live. */
  leave(reason: string): void {
    if (!this.connected) return;
    this.connected = false;
    this.#room.peers.delete(this.#ws);
    this.silence();
    this.#dispatch({ event: "disconnect", args: [reason] });
    this.connection.leave(this, reason);
  }

  #authenticate({ args, id }: EventMessage): void {
    const acknowledge = (outcome: unknown) => this.#write({ answer: id!, args: [outcome] });
    this.connection.authenticate(this, args[0], id === undefined ? undefined : acknowledge);
  }

  #dispatch(message: Message): void {
    try {
      this.socket.dispatch(message);
    } catch (error) {
      this.report("listener", error);
    }
  }

  #write(message: Message): void {
    if (this.#ws.readyState === this.#ws.OPEN) this.#ws.send(JSON.stringify(message));
  }
}
