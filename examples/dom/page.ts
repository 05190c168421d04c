import type { Socket } from "socket.io-client";
import { authenticate } from "@socketio-auth/socketio-auth/client";
import { showSession } from "./show_session.ts";

/** Sets `index.html` up. The socket comes from `io({ autoConnect: false })`. */
export function setUp(socket: Socket): void {
  const form = document.querySelector("form")!;
  const status = document.querySelector("output")!;
  let leave = () => {};

  form.addEventListener("submit", (event) => {
    event.preventDefault();
    leave();
    const session = authenticate(socket, Object.fromEntries(new FormData(form)));
    const hide = showSession(session, status);
    leave = () => {
      hide();
      session.stop();
      // Otherwise the socket stays connected, and its user signed in there.
      socket.disconnect();
    };
  });

  form.addEventListener("reset", () => {
    leave();
    status.textContent = "signed out";
  });
}
