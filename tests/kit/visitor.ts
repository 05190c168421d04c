import { RawClient } from "./raw.ts";

/** What the acknowledgement of an `authentication` event says. */
interface Outcome {
  readonly ok: boolean;
  readonly code?: string;
  readonly kept?: boolean;
}

/** A client that speaks by hand, on several namespaces. */
export class Visitor {
  readonly raw: RawClient;

  private constructor(raw: RawClient) {
    this.raw = raw;
  }

  static async open({ url }: { readonly url: string }): Promise<Visitor> {
    return new Visitor(await RawClient.open(url));
  }

  /** Asks for a namespace. */
  ask(path: string, payload?: unknown): void {
    this.raw.send(`40${prefix(path)}${payload === undefined ? "" : JSON.stringify(payload)}`);
  }

  /** Connects namespaces without credentials. */
  async enter(...paths: string[]): Promise<void> {
    for (const path of paths) {
      this.ask(path);
      await this.connected();
    }
  }

  /** Waits until the next namespace is connected. Resolves with what Socket.IO says of it. */
  async connected(): Promise<{ sid: string; pid?: string }> {
    return (await this.#next("40")).content as { sid: string };
  }

  emit(path: string, ...args: unknown[]): void {
    this.raw.send(`42${prefix(path)}${JSON.stringify(args)}`);
  }

  /** Sends credentials in an event. */
  submit(path: string, credentials: unknown): void {
    this.raw.send(`42${prefix(path)}7${JSON.stringify(["authentication", credentials])}`);
  }

  /** What is said of them. */
  async outcome(): Promise<Outcome> {
    return ((await this.#next("43")).content as [Outcome])[0];
  }

  leave(path: string): void {
    this.raw.send(`41${prefix(path)}`);
  }

  /** Answers a question. */
  answer(path: string, id: string, answer: unknown): void {
    this.raw.send(`43${prefix(path)}${id}${JSON.stringify([answer])}`);
  }

  /** The next event: where it came, the id to answer it with, its name and what it carries. */
  async packet(): Promise<{ path: string; id: string; content: unknown[] }> {
    return await this.#next("42") as { path: string; id: string; content: unknown[] };
  }

  /** The next event: where it came, its name, and the code that it carries. */
  async event(): Promise<string> {
    const { path, content: [name, payload] } = await this.packet();
    const { code } = Object(payload);
    return `${path} ${name}${code ? ` ${code}` : ""}`;
  }

  /** The next events, in the order of the alphabet. */
  async events(count: number): Promise<string[]> {
    const events: string[] = [];
    while (events.length < count) events.push(await this.event());
    return events.sort();
  }

  /** The next CONNECT_ERROR: where, and the code. */
  async refusal(): Promise<string> {
    const { path, content } = await this.#next("44");
    return `${path} ${(content as { data: { code: string } }).data.code}`;
  }

  /** Waits until the server has taken all that was sent. Throws if it refuses another namespace. */
  async allHaveCome(): Promise<void> {
    this.ask("/nowhere");
    const { path } = await this.#next("44");
    if (path !== "/nowhere") throw new Error(`${path} was refused.`);
  }

  /** The namespace that it is told to leave next. */
  async left(): Promise<string> {
    return (await this.#next("41")).path;
  }

  /** Waits until the transport is closed. */
  async closed(): Promise<void> {
    await this.raw.packets.next("close");
  }

  async #next(type: string): Promise<{ path: string; id: string; content: unknown }> {
    const [text] = await this.raw.packets.next(type);
    const [, path, id, json] = /^(?:(\/[^,]*),)?(\d*)(.*)$/s.exec(String(text))!;
    return { path: path ?? "/", id: id!, content: json ? JSON.parse(json) : undefined };
  }
}

function prefix(path: string): string {
  return path === "/" ? "" : `${path},`;
}
