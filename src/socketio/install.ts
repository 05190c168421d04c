/**
 * Finds every namespace that a policy is for, and every socket in it. All ways to a socket lead
 * through `Namespace._createSocket`, and all ways to a namespace through the server's map of
 * namespaces. Both are replaced on the instance.
 *
 * @module
 */
import { claim, claimForThisCopy, claimServer, cover, guardOf, undecided } from "./claims.ts";
import { connectionOf } from "./connections.ts";
import { tellAddresses } from "./bun_engine.ts";
import { onEngine, watchConnections } from "./engines.ts";
import { guardSocket, type SocketIoGuard } from "./guarding.ts";
import { turnAway, verifyHandshake } from "./handshake.ts";
import {
  isParent,
  type RawNamespace,
  type RawParentNamespace,
  type RawServer,
} from "./internals.ts";
import {
  beginJoining,
  endJoining,
  goOnJoining,
  isJoining,
  joinsUnasked,
  limitJoining,
} from "./joining.ts";
import { addPolicy, isBlockedNow, noteCut, startMeter, wasCut } from "./gate/meter.ts";
import { isUnder, placeOf } from "./patterns.ts";
import { makeRecoverySafe } from "./recovery/recovery.ts";
import { askedAgain } from "./gate/gate.ts";
import { gateOf } from "./gate/prototype.ts";
import { watchRooms } from "./gate/stand_in.ts";
import type { Target } from "./target.ts";
import { watchUpgrade } from "./upgrades.ts";

const INSTALLED = Symbol("socketio-auth installed");

/**
 * Puts a policy on a server or a namespace.
 *
 * @throws {Error} if the target has a policy of its own already, if another copy of this package
 * guards the server, or if a pattern's function fails for an existing namespace
 */
export function install({ server, namespace }: Target, guard: SocketIoGuard): void {
  claimForThisCopy(server);
  prepare(server);
  addPolicy(server, guard);
  const isPattern = namespace && isParent(namespace);
  const existing = isPattern ? askAbout([...server._nsps.values()], namespace) : [];
  if (namespace) claim(namespace, guard);
  else claimServer(server, guard);
  if (isPattern) return watchPattern(namespace, guard, existing);
  for (const nsp of namespace ? [namespace] : server._nsps.values()) watchGuarded(nsp);
}

const prepared = new WeakSet<RawServer>();

function prepare(server: RawServer): void {
  if (prepared.has(server)) return;
  prepared.add(server);
  for (const nsp of server._nsps.values()) watchAdapter(nsp);
  onNamespace(server, (nsp) => {
    watchAdapter(nsp);
    watchGuarded(nsp);
  });
  const { _checkNamespace } = server;
  server._checkNamespace = (...args) => {
    if (!isBlockedNow()) _checkNamespace.apply(server, args);
  };
  onEngine(server, (engine) => {
    tellAddresses(engine);
    watchConnections(engine, (conn) => {
      watchUpgrade(conn);
      startMeter(server, conn);
    });
  });
}

/**
 * Takes over the adapter of a namespace, also where there is no gate: lost connections of all
 * namespaces may lie in one store.
 */
function watchAdapter(nsp: RawNamespace): void {
  const { _initAdapter } = nsp;
  // `io.adapter(…)` replaces the adapter.
  nsp._initAdapter = () => {
    _initAdapter.call(nsp);
    takeOverAdapter(nsp);
  };
  takeOverAdapter(nsp);
}

function takeOverAdapter(nsp: RawNamespace): void {
  watchRooms(nsp);
  makeRecoverySafe(nsp);
}

function watchGuarded(nsp: RawNamespace): void {
  if (guardOf(nsp)) watchNamespace(nsp);
}

type Finding = readonly [nsp: RawNamespace, isUnder: boolean | Promise<boolean>];

function askAbout(namespaces: RawNamespace[], parent: RawParentNamespace): Finding[] {
  return namespaces.map((nsp) => {
    try {
      return [nsp, isUnder(parent, nsp)];
    } catch (cause) {
      throw new Error(
        `Cannot guard: the function of the parent namespace fails when it is asked about "${nsp.name}", ` +
          "which exists already. Have it answer by the name, also where there is no payload.",
        { cause },
      );
    }
  });
}

function watchPattern(
  parent: RawParentNamespace,
  guard: SocketIoGuard,
  existing: readonly Finding[],
): void {
  function take(nsp: RawNamespace): void {
    cover(nsp, guard, parent.children.has(nsp) ? -1 : placeOf(parent));
    watchNamespace(nsp);
  }
  /** If the pattern's function fails, the namespace is guarded: rather too much than too little. */
  function takeUnsure(nsp: RawNamespace, error: unknown): void {
    guard.policy.report(error, { during: "gate" });
    take(nsp);
  }
  function consider([nsp, isUnder]: Finding): void {
    if (typeof isUnder === "boolean") {
      if (isUnder) take(nsp);
      return;
    }
    const decided = isUnder.then((yes) => yes && take(nsp), (error) => takeUnsure(nsp, error));
    const before = undecided.get(nsp);
    const all = Promise.all([before, decided]).then(() => {
      if (undecided.get(nsp) === all) undecided.delete(nsp);
    });
    undecided.set(nsp, all);
    watchNamespace(nsp);
  }
  existing.forEach(consider);
  onNamespace(parent.server, (nsp) => {
    try {
      consider([nsp, isUnder(parent, nsp)]);
    } catch (error) {
      takeUnsure(nsp, error);
    }
  });
}

/** Calls `listener` for every new namespace, before any other code gets hold of it. */
function onNamespace({ _nsps }: RawServer, listener: (nsp: RawNamespace) => void): void {
  const set = _nsps.set;
  _nsps.set = (name, nsp) => {
    listener(nsp);
    return set.call(_nsps, name, nsp);
  };
}

function watchNamespace(nsp: RawNamespace & { [INSTALLED]?: true }): void {
  if (!nsp[INSTALLED]) takeOver(nsp);
  const guard = guardOf(nsp);
  if (!guard) return;
  for (const socket of nsp.sockets.values()) {
    const gate = gateOf(socket);
    // A socket that is connected already has not signed in, or not under this policy.
    if (!gate) guardSocket(guard, socket);
    else if (gate.guard !== guard) gate.disconnect();
  }
}

function takeOver(nsp: RawNamespace): void {
  Object.defineProperty(nsp, INSTALLED, { value: true });
  const { _createSocket, _doConnect, _remove } = nsp;
  nsp._createSocket = async (client, auth) => {
    const isUnasked = joinsUnasked(client);
    if (isBlockedNow() && !isUnasked && guardOf(nsp)) return new Promise(() => {});
    if (undecided.has(nsp)) await undecided.get(nsp);
    const guard = guardOf(nsp);
    if (!guard) return _createSocket.call(nsp, client, auth);
    // A client that is about to be closed gets no further sockets.
    const connection = connectionOf(client, guard);
    if (!isUnasked) limitJoining(client, () => connection.cut("too_many_attempts"));
    askedAgain(client, nsp.name);
    // A client gets neither a second socket in a namespace, nor too many, nor one without a gate.
    const joining = beginJoining(client, nsp.name);
    if (!joining) return new Promise(() => {});
    const { handshake } = guard.policy;
    const refusal = isUnasked ? undefined : connection.refusalToJoin(auth);
    // A socket that is refused is created, too, and Socket.IO cleans up after it.
    const socket = await _createSocket.call(nsp, client, refusal ? {} : auth);
    if (!goOnJoining(joining, socket) || !guardSocket(guard, socket, true)) {
      return new Promise(() => {});
    }
    noteCut(socket);
    if (wasCut(socket)) {
      gateOf(socket)!.dropJoining();
      return new Promise(() => {});
    }
    if (refusal) turnAway(socket, refusal);
    else if (connection.isClosing) gateOf(socket)!.dropped();
    const isWelcome = !refusal && !connection.isClosing &&
      (!handshake || isUnasked || await verifyHandshake(socket));
    return isWelcome ? socket : new Promise(() => {});
  };
  // The same namespace without its events `connect` and `connection`: the gate emits them.
  const quiet = Object.create(nsp, { emitReserved: { value: () => false } });
  nsp._doConnect = (socket, fn) => {
    const guard = guardOf(nsp);
    if (!guard) return _doConnect.call(nsp, socket, fn);
    const gate = gateOf(socket);
    // A middleware may call `next` twice, or after the client has called it off.
    if (gate && !isJoining(socket)) return;
    // The socket may have been on its way when the policy came.
    if (gate?.guard !== guard && !guardSocket(guard, socket)) return;
    endJoining(socket);
    _doConnect.call(quiet, socket, fn);
    gateOf(socket)!.joined();
  };
  nsp._remove = (socket) => {
    _remove.call(nsp, socket);
    gateOf(socket)?.removed();
  };
}
