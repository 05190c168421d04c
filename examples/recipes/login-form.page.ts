import { authenticate, type ClientSession } from "@socketio-auth/socketio-auth/client";
import { io } from "socket.io-client";

const form = document.querySelector<HTMLFormElement>("#login")!;
const logout = document.querySelector("#logout")!;
const status = document.querySelector("[role=status]")!;

const socket = io({ autoConnect: false }); // connects once there is something to send
let session: ClientSession<string> | undefined;

form.addEventListener("submit", (event) => {
  event.preventDefault();
  session?.stop(); // one session for each attempt
  session = authenticate<string>(socket, Object.fromEntries(new FormData(form)), {
    onAuthenticated: (name) => status.textContent = `Signed in as ${name}`,
    onUnauthorized: ({ message }) => status.textContent = message,
  });
  session.ready.catch(() => {}); // `onUnauthorized` has told
  socket.connect();
});

logout.addEventListener("click", () => {
  session?.stop();
  socket.disconnect();
  status.textContent = "Signed out";
});
