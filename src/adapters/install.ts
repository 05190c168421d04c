/**
 * Finds every namespace a policy is for, and every socket in it. All ways to a
 * socket lead through `Namespace._createSocket`, and all ways to a namespace
 * through the server's map of them; both are taken over on the instance.
 *
 * @module
 */
import { claim, guardOf, ownGuardOf } from "./claims.ts";
import type { Guard } from "./guard.ts";
import { verifyHandshake } from "./handshake.ts";
import {
  isParent,
  type RawNamespace,
  type RawParentNamespace,
  type RawServer,
  type RawSocket,
} from "./internals.ts";
import { beginJoining } from "./joining.ts";
import { makeRecoverySafe } from "./recovery.ts";
import { gateOf } from "./slot.ts";
import { patternOf, type Target } from "./target.ts";

/** A registered symbol, so that a second copy of this package sees the first. */
const INSTALLED = Symbol.for("@socketio-auth/socketio-auth:installed");

/**
 * Puts a policy on a server or a namespace.
 *
 * @throws {Error} if it has a policy of its own already
 */
export function install({ server, namespace, name }: Target, guard: Guard<unknown>): void {
  claim(namespace ?? server, guard, name);
  guard.joinCluster();
  if (!namespace) watchServer(server);
  else if (isParent(namespace)) watchParent(namespace, guard);
  else watchNamespace(namespace);
}

function watchServer(server: RawServer): void {
  for (const nsp of server._nsps.values()) watchNamespace(nsp);
  onNamespace(server, watchNamespace);
}

/**
 * The children of a parent, and those that another parent without a policy of
 * its own has taken from it: of all that match, Socket.IO asks the oldest.
 */
function watchParent(parent: RawParentNamespace, guard: Guard<unknown>): void {
  const { server } = parent;
  const pattern = patternOf(parent);

  function adopt(nsp: RawNamespace): void {
    const owner = parentOf(nsp);
    if (!owner || ownGuardOf(nsp)) return;
    if (owner !== parent && (ownGuardOf(owner) || !pattern?.test(nsp.name))) return;
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

function watchNamespace(nsp: RawNamespace & { [INSTALLED]?: true }): void {
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

function takeOver(nsp: RawNamespace): void {
  Object.defineProperty(nsp, INSTALLED, { value: true });
  const { _createSocket, _doConnect } = nsp;
  nsp._createSocket = async (client, auth) => {
    const guard = guardOf(nsp);
    if (!guard) return _createSocket.call(nsp, client, auth);
    // No second socket for a client, nor sockets without end, nor one without a gate.
    if (!beginJoining(nsp, client) || !guard.mayJoin(client)) return new Promise(() => {});
    makeRecoverySafe(nsp);
    const socket = await _createSocket.call(nsp, client, auth);
    const mayGoOn = tryToGuard(guard, socket) &&
      (!guard.policy.handshake || await verifyHandshake(socket));
    return mayGoOn ? socket : new Promise(() => {});
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
