// The member: signs in with the client module, and stays signed in.
import { showAuthenticator } from "/authenticator.js";
import { authenticate, io } from "/client.js";
import { byId, onClick, onSubmit } from "/dom.js";
import { Messages } from "/messages.js";
import { Pane, secondsUntil, TIMEOUT } from "/pane.js";
import { adviceOn, isAlarming, wordsFor } from "/words.js";

const socket = io({
  forceNew: true,
  // Long enough to watch, and to write something meanwhile.
  reconnectionDelay: 3_000,
  reconnectionDelayMax: 3_000,
  randomizationFactor: 0,
  // Sends a message again until it is acknowledged, and the next one then.
  retries: 1_000,
  ackTimeout: 5_000,
});
const pane = new Pane("member", socket);
const messages = new Messages(socket);

/** Of the client module. There is none before the first sign-in. */
let session;
/** Ends the calls of `follow` for it. */
let unfollow = () => {};
/** Whose chat it is, and what is presented in the place of a password. */
let name;
let token;
/** What has been typed, until the server has decided. No password is kept after that. */
let typed;
/** Takes what the person is asked for: credentials, or a code. */
let answer;
/** Why the client was refused last, until it is signed in. */
let refusal;
/** When the server cuts off a client that does not sign in. */
let deadline;
/** Whether the client is signed in, and for how long at a time. */
let isIn = false;
let duration;
/** How often it was refreshed, once it has been signed in. */
let refreshes;

const isLive = () => session !== undefined && session.state !== "stopped";

function begin(credentials) {
  typed = credentials;
  refreshes = undefined;
  unfollow();
  session = authenticate(socket, bringCredentials, {
    onChallenge: askForCode,
    onAuthenticated: welcome,
    onUnauthorized: explain,
    // Somebody may have to type them.
    credentialsTimeout: Infinity,
    refreshMargin: 5_000,
  });
  unfollow = session.subscribe(follow);
  follow();
}

/** What the client module asks for, before each sign-in and each refresh. */
function bringCredentials() {
  if (isIn && !byId("refresh").checked) throw new Error("Refreshing is switched off");
  answer = undefined;
  return typed ?? (token ? { token } : ask());
}

function askForCode() {
  refusal = undefined;
  const asked = ask();
  const own = answer;
  // Until it is answered, or lost with the connection.
  showAuthenticator(() => answer === own);
  return asked;
}

/** Waits for a form. */
function ask() {
  const asked = new Promise((resolve) => answer = resolve);
  render();
  // A user who is writing a message is not interrupted.
  if (!name) byId(session.state === "challenged" ? "code" : "username").focus();
  return asked;
}

function answerWith(value) {
  answer?.(value);
  answer = undefined;
  render();
}

function welcome(reply, { expiresIn }) {
  const isNew = refreshes === undefined;
  if (isNew) messages.resend();
  ({ name, token } = reply);
  refusal = typed = undefined;
  duration = expiresIn;
  refreshes = isNew ? 0 : refreshes + (isIn ? 1 : 0);
  isIn = true;
  byId("password").value = "";
  render();
  if (isNew) byId("text").focus();
}

function explain(error) {
  refusal = error.code === "signed_out" ? undefined : error;
  if (!error.reconnect) typed = undefined;
  if (error.code === "token_unknown") token = undefined;
  const isMistyped = error.code === "authentication_failed";
  // A user who mistypes the password may try again, and what they have written waits for that.
  if (!isLive()) refreshes = undefined;
  if (!isLive() && !isMistyped) forget();
  render();
  if (isMistyped) byId("password").select();
}

/** Leaves nothing on the page to the one who signs in next. */
function forget() {
  name = token = answer = undefined;
  byId("elsewhere-done").textContent = "";
  messages.clear();
}

/** Gives up without the server: no user is signed in, or the server is away. */
function leave() {
  unfollow();
  session.stop();
  session = refusal = typed = undefined;
  forget();
  socket.disconnect().connect();
  render();
}

function follow() {
  if (session.state !== "authenticated") isIn = false;
  render();
}

/** The client's state; before there is a session, the connection's. */
function stateOf() {
  if (session) return session.state;
  return socket.connected ? "connected" : socket.active ? "connecting" : "closed";
}

function clockFor(state) {
  const end = session?.retryAt;
  if (state === "authenticated") {
    return { label: (seconds) => `ends in ${seconds} s`, end: session.expiresAt, duration };
  }
  if (state === "waiting") return end && { label: (seconds) => `back in ${seconds} s`, end };
  if (!socket.connected || state === "challenged") return undefined;
  return { label: (seconds) => `${seconds} s to sign in`, end: deadline, duration: TIMEOUT };
}

function render() {
  const state = stateOf();
  pane.show({
    state,
    ...wordsFor(state, {
      isAsked: Boolean(answer),
      isAway: pane.isAway,
      isConnected: socket.connected,
      code: session?.error?.code,
    }),
    clock: clockFor(state),
  });
  pane.explain(
    refusal,
    refusal && {
      advice: adviceOn(refusal, state),
      isAlarm: isAlarming(refusal),
    },
  );

  const isChallenged = state === "challenged";
  const mayType = Boolean(answer) || !isLive();
  const asksPassword = !isChallenged && (!name || mayType);
  byId("sign-in").hidden = !asksPassword;
  byId("sign-in").classList.toggle("compact", Boolean(name));
  byId("username").readOnly = Boolean(name);
  byId("submit").disabled = !mayType;
  const isThrottled = state === "waiting" && refusal?.code === "too_many_attempts";
  byId("submit").textContent = isThrottled && session.retryAt
    ? `Try again in ${secondsUntil(session.retryAt)} s`
    : "Sign in";
  byId("challenge").hidden = !isChallenged;
  byId("hint").hidden = isThrottled;
  // Not for a moment that is over before anything can be pressed.
  const isLong = !session?.retryAt || session.retryAt - Date.now() > 2_000;
  byId("waiting").hidden = state !== "waiting" || !isLong;
  // It would only be refused again before its time.
  byId("retry").hidden = isThrottled;
  byId("chat").hidden = !name;
  byId("name").textContent = name ?? "";
  byId("trials").hidden = asksPassword || isChallenged;
  byId("refreshes").textContent = `refreshed ${refreshes ?? 0} ×`;
  byId("lose").disabled = byId("elsewhere").disabled = state !== "authenticated";
}

onSubmit("sign-in", ({ username, password }) => {
  if (!isLive()) return begin({ username, password });
  typed = { username, password };
  answerWith(typed);
});

onSubmit("challenge", ({ code }) => {
  byId("challenge").reset();
  answerWith(code);
});

onClick("cancel", leave);
onClick("give-up", leave);

onSubmit("composer", ({ text }) => {
  // What a session holds is dropped with it. One that has not begun belongs to no user yet.
  if (refreshes === undefined) messages.keep(name, text);
  else messages.send(name, text);
  byId("composer").reset();
});

onClick("sign-out", () => {
  if (session.state === "authenticated") socket.emit("sign out");
  else leave();
});

onClick("elsewhere", () => {
  socket.emit("sign out elsewhere", (error, count) => {
    if (!error) byId("elsewhere-done").textContent = `Signed out elsewhere: ${count}`;
  });
});

onClick("lose", () => socket.io.engine.close());

onClick("retry", () => socket.connect());

socket.on("connect", () => {
  deadline = Date.now() + TIMEOUT;
  if (socket.recovered) pane.note("Connected again; what was missed follows");
  render();
});

socket.on("disconnect", () => {
  pane.note("Disconnected");
  render();
});

// The session hears for itself.
socket.on("unauthorized", (reason) => {
  if (!isLive()) explain(reason);
});

setInterval(render, 250);
