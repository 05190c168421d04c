// What both panes have: a state, a clock, the reason of a refusal, and a log of what arrives.
import { byId, element } from "/dom.js";

const LONGEST_LOG = 100;

/** How long the server leaves a client that does not sign in, in milliseconds. */
export const TIMEOUT = Number(document.documentElement.dataset.timeout);

/** Seconds until a time, as a person counts them. */
export function secondsUntil(time) {
  return Math.max(0, Math.ceil((time - Date.now()) / 1000));
}

/** One of the two clients, as the page shows it. */
export class Pane {
  #root;
  #received = 0;
  /** Whether the last try to connect found no server. */
  isAway = false;

  constructor(id, socket) {
    this.#root = byId(id);
    socket.io.on("error", () => this.isAway = true);
    socket.io.on("open", () => this.isAway = false);
    socket.onAny((event, ...args) => this.#log(event, args));
  }

  /** Shows a state: its name, what it means, how good that is, and a clock if one is running. */
  show({ state, words, tone = "", clock }) {
    this.#root.dataset.state = state;
    this.#root.dataset.tone = tone;
    // Only what is different: a screen reader reads again what is written again.
    if (this.#part("state").textContent !== words) this.#part("state").textContent = words;
    this.#part("clock").textContent = clock ? clock.label(secondsUntil(clock.end)) : "";
    const left = clock?.duration ? (clock.end - Date.now()) / clock.duration : 0;
    this.#part("bar").style.setProperty("--left", Math.min(1, Math.max(0, left)));
  }

  /** Shows why the client was refused, and what can be done; or nothing. */
  explain(refusal, { advice, isAlarm } = {}) {
    const box = this.#part("refusal");
    box.hidden = !refusal;
    if (!refusal) return;
    box.classList.toggle("alarm", isAlarm);
    // What the client module itself says begins with the code, which is shown as well.
    this.#part("reason").textContent = refusal.message.replace(`${refusal.code}: `, "");
    this.#part("code").textContent = refusal.code;
    this.#part("advice").textContent = advice;
  }

  /** Puts a remark into the log, which is not something received. */
  note(text) {
    const row = element("li", text);
    row.className = "note";
    this.#prepend(row);
  }

  #part(name) {
    return this.#root.querySelector(`[data-part="${name}"]`);
  }

  #log(event, args) {
    const payload = payloadOf(args).map((arg) => JSON.stringify(arg, null, " ")).join(", ");
    const row = element("li", element("b", event), " ", element("code", payload));
    // There is one line for each; this is for what does not fit.
    row.title = payload;
    this.#prepend(row);
    this.#part("count").textContent = ++this.#received;
  }

  #prepend(row) {
    const log = this.#part("log");
    log.prepend(row);
    if (log.childElementCount > LONGEST_LOG) log.lastElementChild.remove();
    this.#part("nothing").hidden = true;
  }
}

/**
 * What the server has said: without the function that answers a question, and without the offset
 * that Socket.IO adds to broadcasts, to know where to go on after a lost connection.
 */
function payloadOf(args) {
  return args.filter((arg, i) => typeof arg === "object" || (typeof arg === "string" && i === 0));
}
