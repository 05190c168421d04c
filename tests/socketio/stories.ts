import { assert, assertEquals } from "#testing";
import { Socket } from "socket.io";
import { gateOf } from "../../src/socketio/gate/prototype.ts";
import type { SocketIoGuard } from "../../src/socketio/guarding.ts";
import type { FakeClient } from "./fake_transport.ts";

const CHANGES = ["authenticated", "unauthorized"];
const PROTOCOL = [...CHANGES, "challenge"];

/** What happened to one socket, from the first to the last: pending, authenticated, over. */
export interface Story {
  readonly socket: Socket;
  /** What somebody has kept of it: bound methods, and acknowledgements that are due. */
  readonly kept: {
    readonly emit: (event: string, n: number) => unknown;
    readonly join: (room: string) => unknown;
    readonly acknowledge: ((n: number) => void)[];
  };
  /** Messages by number: what was sent to it, and what ought to arrive. */
  readonly due: number[];
  readonly never: number[];
  readonly events: number[];
  readonly heard: number[];
  /** How often its `connection` handlers have run. */
  introductions: number;
  admissions: number;
  departures: number;
  /** How many of them had come through, out and in, when it was last authenticated. */
  passed: [number, number];
}

/** Whether its client is authenticated, as the application sees it. */
export function isAuthenticated(socket: Socket): boolean {
  return (socket as { auth?: boolean }).auth === true;
}

/** What a socket tells of itself when somebody meets it; nothing if all is well. */
export function troubleOf(socket: Socket): string | undefined {
  if (!isAuthenticated(socket)) return "met while it was not authenticated";
  return gateOf(socket)?.session ? undefined : "met without a session";
}

/** The numbered messages that were sent to a socket. */
export function sentTo({ socket }: Story): number[] {
  const sent = clientOf(socket).sent.get(socket.nsp.name) ?? [];
  return sent.filter(([event]) => event === "message").map(([, n]) => n as number);
}

/** The numbers are right. */
export function checkStats({ journal }: SocketIoGuard, stories: readonly Story[]): void {
  const connected = stories.filter(({ socket }) => socket.connected);
  const authenticated = connected.filter(({ socket }) => isAuthenticated(socket)).length;
  const { stats } = journal;
  assertEquals(stats.authenticated, authenticated);
  // One more may be at the door, with credentials that are being verified; and while the client is
  // about to be closed, one in each namespace that it has asked for.
  const atTheDoor = stats.pending - (connected.length - authenticated);
  assert(atTheDoor >= 0 && atTheDoor <= 3, `${atTheDoor}`);
}

function clientOf(socket: Socket): FakeClient {
  return socket.client as unknown as FakeClient;
}

/** What has to be true of a socket at all times. */
export function check(story: Story): void {
  const { socket, due, never, events, heard, admissions, introductions } = story;
  // Whatever becomes of it, nobody meets it twice, nor anybody but its one user.
  assert(introductions <= 1 && admissions <= 1 && admissions <= introductions);
  if (!socket.connected) return;
  const sent = clientOf(socket).sent.get(socket.nsp.name) ?? [];
  const names = sent.map(([event]) => event as string);
  const messages = sentTo(story);
  const isIn = isAuthenticated(socket);

  // Nothing goes out in front of `authenticated`, and nothing comes in.
  const others = names.findIndex((event) => !PROTOCOL.includes(event));
  if (others >= 0) assert(names.slice(0, others).includes("authenticated"));
  if (!isIn) assertEquals([messages.length, heard.length], story.passed);
  else story.passed = [messages.length, heard.length];
  // Once it is authenticated, all that was held has arrived, once and in order.
  if (isIn) assertEquals([messages, heard], [due, events]);
  // What was volatile, or broadcast while it was pending, never arrives.
  assert(!never.some((n) => messages.includes(n)));
  // It is in the adapter if and only if it is authenticated.
  assertEquals(socket.nsp.adapter.sids.has(socket.id), isIn);
  // One admission, one hook; a refresh runs none, and nothing comes after the end.
  const changes = names.filter((event) => CHANGES.includes(event));
  assertEquals(admissions, changes.includes("authenticated") ? 1 : 0);
  if (isIn) assert(!changes.includes("unauthorized") || changes.at(-1) === "authenticated");
  // And nothing of the gate stays on it.
  assertEquals(Object.getPrototypeOf(socket) === Socket.prototype, isIn);
}
