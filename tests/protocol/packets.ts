/**
 * Packets of Socket.IO as docs/protocol/scenarios.md writes them, and as they are on the wire.
 *
 * @module
 */

const NAMES = { CONNECT: "40", DISCONNECT: "41", acknowledge: "43", CONNECT_ERROR: "44" };
const EVENT = "42";

/** A packet; in a scenario its data may have placeholders. */
export interface Packet {
  /** The types of Engine.IO and Socket.IO, in digits. */
  readonly type: string;
  readonly namespace: string;
  /** Whether it asks for an acknowledgement, or is one. */
  readonly hasId: boolean;
  readonly data: unknown;
}

/** Reads a packet as docs/protocol/scenarios.md writes it: `/chat authenticated true, {}` for example. */
export function parsePacket(text: string): Packet {
  const [, namespace = "/", name = "", rest = ""] = /^(?:(\/\S+) )?(\S+)(?: (.*))?$/.exec(text)!;
  const args = readArguments(rest.replace(/,? ?\backnowledge$/, ""));
  const type = NAMES[name as keyof typeof NAMES] ?? EVENT;
  const hasId = name === "acknowledge" || /\backnowledge$/.test(rest);
  if (type === EVENT) return { type, namespace, hasId, data: [name, ...args] };
  return { type, namespace, hasId, data: name === "acknowledge" ? args : args[0] };
}

/** Values as in JavaScript; `…` and `<name>` stand for some that the server chooses. */
function readArguments(text: string): unknown[] {
  const json = text
    .replaceAll(/([{,] ?)(\w+):/g, '$1"$2":')
    .replaceAll(/…|<[\w ]+>/g, '"$&"');
  return JSON.parse(`[${json}]`);
}

/** The packet as it goes over the wire. */
export function encode({ type, namespace, data }: Packet, id: number | undefined): string {
  const prefix = namespace === "/" ? "" : `${namespace},`;
  return type + prefix + (id ?? "") + (data === undefined ? "" : JSON.stringify(data));
}

/** A packet that came over the wire, and its id. */
export function decode(type: string, rest: string): { packet: Packet; id: number | undefined } {
  const [, namespace = "/", digits, json] = /^(?:(\/[^,]*),?)?(\d+)?(.*)$/s.exec(rest)!;
  const data = json ? JSON.parse(json) : undefined;
  const id = digits === undefined ? undefined : Number(digits);
  return { packet: { type, namespace, hasId: id !== undefined, data }, id };
}

/**
 * The values that the server has chosen. The same name stands for the same value,
 * and another name for another one.
 */
export class Placeholders {
  readonly #values: Map<string, unknown> = new Map();

  /** Fills the placeholders of what is expected with what there is, where that may be. */
  fill(expected: unknown, actual?: unknown): unknown {
    if (expected === "…") return actual ?? expected;
    if (typeof expected === "string" && /^<.*>$/.test(expected)) {
      return this.#valueOf(expected, actual);
    }
    if (typeof expected !== "object" || expected === null) return expected;
    const parts = Object(actual);
    if (Array.isArray(expected)) return expected.map((part, i) => this.fill(part, parts[i]));
    const entries = Object.entries(expected);
    return Object.fromEntries(entries.map(([key, part]) => [key, this.fill(part, parts[key])]));
  }

  #valueOf(name: string, actual: unknown): unknown {
    if (this.#values.has(name)) return this.#values.get(name);
    if (actual === undefined || [...this.#values.values()].includes(actual)) return name;
    this.#values.set(name, actual);
    return actual;
  }
}
