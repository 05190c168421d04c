// What has been said, and what waits to be.
import { byId, element } from "/dom.js";

/** Tells the messages of this page from those of others. */
const page = Math.random().toString(36).slice(2);

export class Messages {
  #socket;
  /** What the server has not acknowledged: text and row, by id, in order. */
  #waiting = new Map();
  #count = 0;

  constructor(socket) {
    this.#socket = socket;
    socket.on("chat", ({ from, text }) => this.#append("messages", createRow(from, text)));
    // What is asked for above leaves less room for it.
    new ResizeObserver(scrollToEnd).observe(byId("conversation"));
  }

  /** Sends a message, now or once the client is signed in again. */
  send(from, text) {
    this.#emit(this.keep(from, text));
  }

  /** Keeps a message on the page only, for a session that is yet to come. */
  keep(from, text) {
    const id = `${page}-${++this.#count}`;
    const row = createRow(from, text);
    row.append(element("em", " waiting"));
    this.#waiting.set(id, { text, row });
    this.#append("outbox", row);
    return id;
  }

  /** Sends all that waits, which may have been on its way in a session that is gone. */
  resend() {
    for (const id of this.#waiting.keys()) this.#emit(id);
  }

  clear() {
    this.#waiting.clear();
    byId("messages").replaceChildren();
    byId("outbox").replaceChildren();
  }

  #emit(id) {
    this.#socket.emit("chat", id, this.#waiting.get(id).text, (error) => {
      if (!error) this.#settle(id);
    });
  }

  /** Moves a message to those that everybody has, the first time it is acknowledged. */
  #settle(id) {
    if (!this.#waiting.has(id)) return;
    const { row } = this.#waiting.get(id);
    this.#waiting.delete(id);
    row.querySelector("em").remove();
    this.#append("messages", row);
  }

  #append(list, row) {
    byId(list).append(row);
    scrollToEnd();
  }
}

function scrollToEnd() {
  const conversation = byId("conversation");
  conversation.scrollTop = conversation.scrollHeight;
}

function createRow(from, text) {
  return element("p", element("strong", from), " ", element("span", text));
}
