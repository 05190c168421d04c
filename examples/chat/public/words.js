// What the member's state means, and what to do about a refusal, for people.

const words = {
  closed: "Disconnected",
  connected: "Connected, not signed in",
  connecting: "Connecting",
  authenticating: "Connected, signing in",
  challenged: "Connected, asked for a code",
  authenticated: "Signed in",
  waiting: "Waiting to come back",
};

/** What a client has stopped for. A sign-out that was wanted is no alarm. */
const stopped = {
  signed_out: ["Signed out", ""],
  authentication_failed: ["Not signed in", "alarm"],
  wrong_code: ["Not signed in", "alarm"],
  revoked: ["Signed out elsewhere", "alarm"],
};

/** A state in words, and how good it is: `good`, `alarm` or neither. */
export function wordsFor(state, { isAsked, isAway, isConnected, code }) {
  if (state === "stopped") {
    const [said, tone] = stopped[code] ?? ["Stopped", "alarm"];
    // After a refusal, the server closes a second later.
    const isStaying = isConnected && code === "signed_out";
    return { words: isStaying ? `${said}, still connected` : said, tone };
  }
  if (state === "connecting" && isAway) {
    return { words: "Server away, trying again", tone: "alarm" };
  }
  if (state === "connecting" && isAsked) return { words: "Waiting for a password" };
  const tone = { authenticated: "good", waiting: "alarm" }[state];
  return { words: words[state], tone };
}

const byCode = {
  authentication_failed: "Do try again.",
  wrong_code: "Do try again, from the start.",
  credentials_failed: "The session goes on until it ends.",
  revoked: "Signed out from another window.",
  token_unknown: "The server has forgotten your token.",
  timeout:
    "There was no sign-in in time, so the server has closed the connection. Signing in opens another.",
  too_many_attempts: "The client tries again by itself then.",
};

export function adviceOn({ code, reconnect }, state) {
  if (Object.hasOwn(byCode, code)) return byCode[code];
  if (state === "waiting") return "The client comes back by itself.";
  return reconnect ? "Signing in again may help." : "Signing in again will not help by itself.";
}

/** Refusals that come of taking one's time. */
const harmless = ["timeout", "credentials_failed", "token_unknown"];

export function isAlarming({ code }) {
  return !harmless.includes(code);
}
