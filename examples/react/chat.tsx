import { type ReactNode, useEffect, useState } from "react";
import type { Socket } from "socket.io-client";
import { useSession } from "./use_session.ts";

interface Credentials {
  readonly username: string;
  readonly password: string;
}

/** A chat behind a form to sign in. The socket comes from `io({ autoConnect: false })`. */
export function Chat({ socket }: { socket: Socket }): ReactNode {
  const [credentials, setCredentials] = useState<Credentials>();
  if (!credentials) return <SignIn onSubmit={setCredentials} />;

  const leave = () => {
    // A session that has stopped leaves the socket connected, and its user signed in there.
    socket.disconnect();
    setCredentials(undefined);
  };
  return <Room socket={socket} credentials={credentials} onLeave={leave} />;
}

function SignIn({ onSubmit }: { onSubmit(credentials: Credentials): void }): ReactNode {
  const submit = (form: FormData) =>
    onSubmit({ username: `${form.get("username")}`, password: `${form.get("password")}` });
  return (
    <form action={submit}>
      <input
        name="username"
        aria-label="Name"
        placeholder="Name"
        autoComplete="username"
        required
      />
      <input
        name="password"
        aria-label="Password"
        placeholder="Password"
        type="password"
        autoComplete="current-password"
        required
      />
      <button type="submit">Sign in</button>
    </form>
  );
}

interface RoomProps {
  readonly socket: Socket;
  readonly credentials: Credentials;
  onLeave(): void;
}

function Room({ socket, credentials, onLeave }: RoomProps): ReactNode {
  const { state, error } = useSession(socket, credentials);
  const lines = useLines(socket);
  return (
    <section>
      <p role="status">{error ? `${state}: ${error.message}` : state}</p>
      <ul>{lines.map((line, index) => <li key={index}>{line}</li>)}</ul>
      <form action={(form) => void socket.emit("chat", form.get("text"))}>
        <input name="text" aria-label="Message" placeholder="Say something" required />
        <button type="submit">Send</button>
      </form>
      <button type="button" onClick={onLeave}>
        {state === "stopped" ? "Try again" : "Sign out"}
      </button>
    </section>
  );
}

/** What has been said since the component was mounted. */
function useLines(socket: Socket): string[] {
  const [lines, setLines] = useState<string[]>([]);
  useEffect(() => {
    const add = (line: string) => setLines((lines) => [...lines, line]);
    socket.on("chat", add);
    return () => void socket.off("chat", add);
  }, [socket]);
  return lines;
}
