import { authenticate, type ClientSession } from "@socketio-auth/socketio-auth/client";
import { io } from "socket.io-client";

// Connects when there is something to sign in with: until then, no deadline of the server runs.
const socket = io({ autoConnect: false });
let session: ClientSession | undefined;

const find = <E extends HTMLElement>(selector: string): E => document.querySelector<E>(selector)!;
const say = (text: string) => find("[role=status]").textContent = text;

function signIn(credentials: object): void {
  session?.stop();
  socket.disconnect();
  find("#register").hidden = true;
  say("signing in");
  session = authenticate(socket, credentials, {
    onChallenge: ({ options }) => sign(options),
    onAuthenticated() {
      say("signed in");
      find("#register").hidden = false;
    },
    onUnauthorized({ message }) {
      say(message);
      find("#register").hidden = true;
    },
  });
}

/** Has the device sign a challenge. If the user cancels, there is no answer, and the server refuses. */
async function sign(options: PublicKeyCredentialRequestOptionsJSON): Promise<unknown> {
  const publicKey = PublicKeyCredential.parseRequestOptionsFromJSON(options);
  const credential = await navigator.credentials.get({ publicKey }).catch(() => undefined);
  return (credential as PublicKeyCredential | undefined)?.toJSON();
}

/** Has the device make a passkey. */
async function create(options: PublicKeyCredentialCreationOptionsJSON): Promise<unknown> {
  const publicKey = PublicKeyCredential.parseCreationOptionsFromJSON(options);
  const credential = await navigator.credentials.create({ publicKey }).catch(() => undefined);
  return (credential as PublicKeyCredential | undefined)?.toJSON();
}

find<HTMLFormElement>("#password").addEventListener("submit", (event) => {
  event.preventDefault();
  signIn(Object.fromEntries(new FormData(event.target as HTMLFormElement)));
});
find("#passkey").addEventListener("click", () => signIn({ passkey: true }));
find("#register").addEventListener("click", () => {
  socket.emit("register", (isDone: boolean) => say(isDone ? "registered" : "not registered"));
});
socket.on("register", async (options, acknowledge) => acknowledge(await create(options)));
