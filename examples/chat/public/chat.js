// Two clients on one page: the member can sign in, the stranger never does.
import { io } from "/socket.io/socket.io.esm.min.js";

const TIMEOUT = Number(document.documentElement.dataset.timeout);
const LONGEST_LOG = 100;

const states = {
  connecting: "Connecting",
  waiting: "Connected, not signed in",
  authenticated: "Signed in",
  offline: "Disconnected",
};

/** A client with a connection of its own, and the pane that shows all it receives. */
class Pane {
  socket = io({ forceNew: true });
  #root;
  #received = 0;
  #deadline = 0;

  constructor(id) {
    this.#root = byId(id);
    this.socket.on("connect", () => {
      this.#deadline = Date.now() + TIMEOUT;
      this.#part("refusal").hidden = true;
      this.#become("waiting");
    });
    this.socket.on("disconnect", () => this.#become(this.socket.active ? "connecting" : "offline"));
    this.socket.on("authenticated", () => this.#become("authenticated"));
    this.socket.on("unauthorized", (refusal) => this.#explain(refusal));
    this.socket.onAny((event, ...args) => this.#log(event, args));
    setInterval(() => this.#countDown(), 250);
  }

  #part(name) {
    return this.#root.querySelector(`[data-part="${name}"]`);
  }

  #become(state) {
    this.#root.dataset.state = state;
    this.#part("state").textContent = states[state];
    this.#countDown();
  }

  #countDown() {
    const isRunning = this.#root.dataset.state === "waiting";
    const seconds = Math.max(0, Math.ceil((this.#deadline - Date.now()) / 1000));
    this.#part("deadline").textContent = isRunning ? `cut off in ${seconds} s` : "";
  }

  #explain({ message, code, reconnect }) {
    this.#part("reason").textContent = message;
    this.#part("code").textContent = code;
    this.#part("advice").textContent = reconnect
      ? "Connecting again may help."
      : "Connecting again will not help by itself.";
    this.#part("refusal").hidden = false;
  }

  #log(event, args) {
    const payload = args.map((arg) => JSON.stringify(arg, null, " ")).join(", ");
    const log = this.#part("log");
    log.prepend(element("li", element("b", event), " ", element("code", payload)));
    if (log.childElementCount > LONGEST_LOG) log.lastElementChild.remove();
    this.#part("nothing").hidden = true;
    this.#part("count").textContent = ++this.#received;
  }
}

/** An element with elements and texts in it. A text is never read as HTML. */
function element(tag, ...children) {
  const made = document.createElement(tag);
  made.append(...children);
  return made;
}

function byId(id) {
  return document.getElementById(id);
}

function onSubmit(id, fn) {
  byId(id).addEventListener("submit", (event) => {
    event.preventDefault();
    fn(Object.fromEntries(new FormData(event.target)), event.target);
  });
}

function onClick(id, fn) {
  byId(id).addEventListener("click", fn);
}

document.documentElement.style.setProperty("--timeout", `${TIMEOUT}ms`);

const member = new Pane("member").socket;

onSubmit("sign-in", ({ username, password }) => {
  byId("submit").disabled = true;
  // Without a connection the event waits for the next one.
  member.connect().emit("authentication", { username, password });
});

member.on("authenticated", ({ name }) => {
  byId("submit").disabled = false;
  byId("name").textContent = name;
  byId("password").value = "";
  byId("messages").replaceChildren();
  byId("text").focus();
});

member.on("disconnect", () => {
  byId("submit").disabled = false;
});

member.on("unauthorized", ({ code }) => {
  if (code === "authentication_failed") byId("password").select();
});

onSubmit("composer", ({ text }, form) => {
  member.emit("chat", text);
  form.reset();
});

member.on("chat", ({ from, text }) => {
  const message = element("p", element("strong", from), " ", element("span", text));
  const messages = byId("messages");
  messages.append(message);
  messages.scrollTop = messages.scrollHeight;
});

onClick("sign-out", () => member.disconnect().connect());

const stranger = new Pane("stranger").socket;
let sent = 0;

onClick("send-anyway", () => {
  stranger.emit("chat", "Can anybody hear me?");
  byId("sent").textContent = `Sent “Can anybody hear me?” × ${++sent}. Look left.`;
});

onClick("reconnect", () => stranger.connect());
