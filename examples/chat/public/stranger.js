// The stranger: a plain socket.io-client, which never signs in.
import { io } from "/socket.io/socket.io.esm.min.js";
import { byId, onClick } from "/dom.js";
import { Pane, TIMEOUT } from "/pane.js";

const socket = io({ forceNew: true });
const pane = new Pane("stranger", socket);

let deadline;
let sent = 0;

const words = {
  connecting: "Connecting",
  connected: "Connected, not signed in",
  closed: "Cut off",
  away: "Server away, trying again",
};

function render() {
  const state = socket.connected ? "connected" : socket.active ? "connecting" : "closed";
  const isAway = state === "connecting" && pane.isAway;
  const clock = socket.connected && {
    label: (seconds) => `cut off in ${seconds} s`,
    end: deadline,
    duration: TIMEOUT,
  };
  pane.show({
    state,
    words: words[isAway ? "away" : state],
    tone: isAway || state === "closed" ? "alarm" : "",
    clock,
  });
  byId("send-anyway").hidden = state === "closed";
  byId("reconnect").hidden = state !== "closed";
}

socket.on("connect", () => {
  deadline = Date.now() + TIMEOUT;
  pane.explain(undefined);
  render();
});
socket.on("disconnect", render);
socket.on("unauthorized", (refusal) => {
  const advice = refusal.reconnect
    ? "Connecting again may help."
    : "Connecting again will not help by itself.";
  pane.explain(refusal, { advice, isAlarm: true });
});

onClick("send-anyway", () => {
  socket.emit("chat", `stranger-${++sent}`, "Can anybody hear me?");
  byId("sent").textContent = `Sent “Can anybody hear me?” × ${sent}. No one hears it.`;
});

onClick("reconnect", () => socket.connect());

setInterval(render, 250);
