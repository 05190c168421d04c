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

export function wordsFor(state, { isAsked, error }) {
  if (state === "stopped") return `Stopped: ${error.message}`;
  if (state === "connecting" && isAsked) return "Connecting, once there is a password";
  return words[state];
}

const byCode = {
  authentication_failed: "Do try again.",
  wrong_code: "Do try again, from the start.",
  credentials_failed: "The session goes on until it ends.",
  revoked: "Signed out from another window.",
  token_unknown: "The server has forgotten your token.",
};

export function adviceOn({ code, reconnect }, state) {
  if (Object.hasOwn(byCode, code)) return byCode[code];
  if (state === "waiting") return "The client comes back by itself.";
  return reconnect ? "Signing in again may help." : "Signing in again will not help by itself.";
}
