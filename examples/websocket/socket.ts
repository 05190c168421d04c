/** An event, in either direction; with an `id` if it wants an answer. */
export interface EventMessage {
  readonly event: string;
  readonly args: readonly unknown[];
  readonly id?: number;
}

/** What goes over the wire: an event, or the answer to one. */
export type Message = EventMessage | {
  readonly answer: number;
  readonly args: readonly unknown[];
};

// deno-lint-ignore no-explicit-any -- what the other side sends
type Listener = (...args: any[]) => unknown;

/** A client's WebSocket, as the application knows it: events, and answers to them. */
export class Socket {
  readonly id: string = crypto.randomUUID();
  /** Whether the client is signed in. */
  auth = false;
  readonly #send: (message: Message) => void;
  readonly #close: () => void;
  readonly #listeners: Map<string, Listener[]> = new Map();
  readonly #waiting: Map<number, Listener> = new Map();
  #ids = 0;

  constructor(send: (message: Message) => void, close: () => void) {
    this.#send = send;
    this.#close = close;
  }

  on(event: string, listener: Listener): this {
    this.#listeners.set(event, [...this.#listeners.get(event) ?? [], listener]);
    return this;
  }

  /** Sends an event. A function at the end is called with the client's answer. */
  emit(event: string, ...args: unknown[]): void {
    const last = args.at(-1);
    if (typeof last !== "function") return this.#send({ event, args });
    const id = ++this.#ids;
    this.#waiting.set(id, last as Listener);
    this.#send({ event, args: args.slice(0, -1), id });
  }

  disconnect(): void {
    this.#close();
  }

  /** Runs the listeners for something that has come from the client. */
  dispatch(message: Message): void {
    if ("answer" in message) {
      this.#waiting.get(message.answer)?.(...message.args);
      this.#waiting.delete(message.answer);
      return;
    }
    const { event, args, id } = message;
    const answer = (...args: unknown[]) => this.#send({ answer: id!, args });
    for (const listener of this.#listeners.get(event) ?? []) {
      listener(...args, ...id === undefined ? [] : [answer]);
    }
  }
}

/** Reads what a client has sent, which can be anything. */
export function parseMessage(text: string): Message | undefined {
  try {
    const message = JSON.parse(text);
    const { event, answer, args, id } = Object(message);
    if (!Array.isArray(args)) return undefined;
    if (Number.isInteger(answer)) return { answer, args };
    if (typeof event !== "string") return undefined;
    return id === undefined ? { event, args } : Number.isInteger(id) ? message : undefined;
  } catch {
    return undefined;
  }
}
