import type { Socket } from "socket.io";

/** The longest message that is passed on, in characters. */
const LONGEST = 500;

/** How many messages are remembered, to know one that comes again. */
const REMEMBERED = 1000;

/** Passes on what members say. */
export class Conversation {
  readonly #seen = new Set<string>();

  /** Listens to a member. */
  join(socket: Socket, from: string): void {
    socket.on("chat", (id: unknown, text: unknown, acknowledge: unknown) => {
      if (!isText(id) || !isText(text) || typeof acknowledge !== "function") return;
      // A client sends again what it has no answer to: that may have been lost, and the message
      // may not.
      if (this.#isNew(`${from} ${id}`)) socket.broadcast.emit("chat", { from, text });
      acknowledge();
    });
  }

  #isNew(key: string): boolean {
    if (this.#seen.has(key)) return false;
    this.#seen.add(key);
    if (this.#seen.size > REMEMBERED) this.#seen.delete(this.#seen.values().next().value!);
    return true;
  }
}

function isText(value: unknown): value is string {
  return typeof value === "string" && value.trim() !== "" && value.length <= LONGEST;
}
