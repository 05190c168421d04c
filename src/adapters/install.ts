/**
 * Finds every namespace a policy is for, and every socket in it. All ways to a
 * socket lead through `Namespace._createSocket`, and all ways to a namespace
 * through the server's map of them; both are taken over on the instance.
 *
 * @module
 */
import type { Guard } from "./guard.ts";
import {
  isNamespace,
  isParent,
  isServer,
  type RawNamespace,
  type RawParentNamespace,
  type RawServer,
  type RawSocket,
} from "./internals.ts";
import { beginJoining } from "./joining.ts";
import { makeRecoverySafe } from "./recovery.ts";
import { gateOf } from "./slot.ts";

/** Registered symbols, so that a second copy of this package sees the first. */
const GUARD = Symbol.for("@socketio-auth/socketio-auth:guard");
const INSTALLED = Symbol.for("@socketio-auth/socketio-auth:installed");

interface Guarded {
  [GUARD]?: Guard<unknown>;
  [INSTALLED]?: true;
}

/**
 * Puts a policy on a server or a namespace.
 *
 * @throws {TypeError} if `target` is neither
 * @throws {Error} if it has a policy of its own already
 */
export function install(target: unknown, guard: Guard<unknown>): void {
  if (isServer(target)) {
    claim(target, guard, "server");
    watchServer(target);
  } else if (isNamespace(target)) {
    claim(target, guard, `namespace "${target.name}"`);
    if (isParent(target)) watchParent(target, guard);
    else watchNamespace(target);
  } else {
    throw new TypeError(
      "Cannot guard: expected a Server or a Namespace of socket.io 4.6 or later. Older servers " +
        "and other objects cannot be made safe, so they are refused.",
    );
  }
}

function claim(target: object & Guarded, guard: Guard<unknown>, name: string): void {
  if (target[GUARD]) {
    throw new Error(`Cannot guard the ${name} twice: it has a policy already.`);
  }
  Object.defineProperty(target, GUARD, { value: guard });
}

/** A namespace's own policy comes before that of the server. */
function guardOf(nsp: RawNamespace & Guarded): Guard<unknown> | undefined {
  return nsp[GUARD] ?? (nsp.server as RawServer & Guarded)[GUARD];
}

function watchServer(server: RawServer): void {
  for (const nsp of server._nsps.values()) watchNamespace(nsp);
  onNamespace(server, watchNamespace);
}

/**
 * The children of a parent, and those that another parent without a policy of
 * its own has taken from it: of all that match, Socket.IO asks the oldest.
 */
function watchParent(parent: RawParentNamespace & Guarded, guard: Guard<unknown>): void {
  const { server } = parent;
  const [pattern] =
    [...server.parentNamespacesFromRegExp ?? []].find(([, nsp]) => nsp === parent) ?? [];

  function adopt(nsp: RawNamespace & Guarded): void {
    const owner: RawParentNamespace & Guarded | undefined = parentOf(nsp);
    if (!owner || nsp[GUARD]) return;
    if (owner !== parent && (owner[GUARD] || !pattern?.test(nsp.name))) return;
    claim(nsp, guard, `namespace "${nsp.name}"`);
    watchNamespace(nsp);
  }
  for (const nsp of server._nsps.values()) adopt(nsp);
  onNamespace(server, adopt);
}

/** Every namespace is born into this map, before anybody else gets hold of it. */
function onNamespace({ _nsps }: RawServer, listener: (nsp: RawNamespace) => void): void {
  const set = _nsps.set;
  _nsps.set = (name, nsp) => {
    listener(nsp);
    return set.call(_nsps, name, nsp);
  };
}

function parentOf(nsp: RawNamespace): RawParentNamespace | undefined {
  return [...nsp.server.parentNsps.values()].find(({ children }) => children.has(nsp));
}

function watchNamespace(nsp: RawNamespace & Guarded): void {
  if (!nsp[INSTALLED]) takeOver(nsp);
  const guard = guardOf(nsp);
  if (!guard) return;
  for (const socket of nsp.sockets.values()) {
    const gate = gateOf(socket);
    // Whoever is connected already has not been asked yet, or not by this policy.
    if (!gate) tryToGuard(guard, socket);
    else if (gate.host !== guard) gate.disconnect();
  }
}

function takeOver(nsp: RawNamespace & Guarded): void {
  Object.defineProperty(nsp, INSTALLED, { value: true });
  const { _createSocket, _doConnect } = nsp;
  nsp._createSocket = async (client, auth) => {
    const guard = guardOf(nsp);
    if (!guard) return _createSocket.call(nsp, client, auth);
    // No second socket for a client, nor sockets without end, nor one without a gate.
    if (!beginJoining(nsp, client) || !guard.mayJoin(client)) return new Promise(() => {});
    makeRecoverySafe(nsp);
    const socket = await _createSocket.call(nsp, client, auth);
    return tryToGuard(guard, socket) ? socket : new Promise(() => {});
  };
  // A socket may have been on its way when the policy came.
  nsp._doConnect = (socket, fn) => {
    const guard = guardOf(nsp);
    if (!guard || gateOf(socket)?.host === guard || tryToGuard(guard, socket)) {
      _doConnect.call(nsp, socket, fn);
    }
  };
}

/** Puts a gate on a socket; one that cannot be guarded loses its transport. */
function tryToGuard(guard: Guard<unknown>, socket: RawSocket): boolean {
  try {
    guard.guard(socket);
    return true;
  } catch (error) {
    guard.policy.report(error, { during: "gate", socket });
    socket.client.conn.close();
    return false;
  }
}
