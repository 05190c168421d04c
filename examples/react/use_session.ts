import { useState, useSyncExternalStore } from "react";
import { authenticate, type ClientSession } from "@socketio-auth/socketio-auth/client";

/** What a component can show of a session. */
export type SessionView = Pick<ClientSession, "state" | "error" | "retryAt" | "expiresAt">;

/**
 * Signs a socket in for as long as the component is mounted. As with `useState`, what is given
 * first counts: another socket or user takes another `key`.
 */
export function useSession(...given: Parameters<typeof authenticate>): SessionView {
  const [store] = useState(() => createStore(given));
  return useSyncExternalStore(store.subscribe, store.getSnapshot, getServerSnapshot);
}

const before: SessionView = {
  state: "connecting",
  error: undefined,
  retryAt: undefined,
  expiresAt: undefined,
};
const getServerSnapshot = () => before;

/** A subscription signs in. `StrictMode` subscribes twice, and stops the first session. */
function createStore(given: Parameters<typeof authenticate>) {
  let view = before;
  return {
    getSnapshot: () => view,
    subscribe(onChange: () => void) {
      const session = authenticate(...given);
      const look = () => {
        const { state, error, retryAt, expiresAt } = session;
        view = { state, error, retryAt, expiresAt };
        onChange();
      };
      const unsubscribe = session.subscribe(look);
      look();
      return () => {
        unsubscribe();
        session.stop();
      };
    },
  };
}
