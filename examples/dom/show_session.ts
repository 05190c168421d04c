import type { ClientSession } from "@socketio-auth/socketio-auth/client";

/** Keeps an element's text up to date with a session. Returns a function that ends this. */
export function showSession(session: ClientSession, element: HTMLElement): () => void {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const show = () => {
    clearTimeout(timer);
    element.textContent = describe(session);
    if (session.retryAt) timer = setTimeout(show, 1_000);
  };
  const unsubscribe = session.subscribe(show);
  show();
  return () => {
    unsubscribe();
    clearTimeout(timer);
  };
}

function describe({ state, error, retryAt }: ClientSession): string {
  const reason = error ? `: ${error.message}` : "";
  const seconds = retryAt && Math.max(0, Math.ceil((retryAt - Date.now()) / 1_000));
  return state + reason + (seconds === undefined ? "" : ` (again in ${seconds} s)`);
}
