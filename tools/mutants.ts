/** One thing that the gate does, switched off. */
export interface Mutant {
  readonly name: string;
  readonly file: string;
  /** What stands in the file, exactly once, and what stands there instead. */
  readonly from: string;
  readonly to: string;
  /** Why no test can notice, where that is so. */
  readonly unnoticed?: string;
}

function of(file: string, mutants: [name: string, from: string, to: string, unnoticed?: string][]) {
  return mutants.map(([name, from, to, unnoticed]): Mutant => {
    return { name, file: `src/${file}.ts`, from, to, ...unnoticed && { unnoticed } };
  });
}

/** Every interception of the gate, and every rule that keeps it shut. */
export const mutants: Mutant[] = [
  ...of("socketio/gate/prototype", [
    ["packets out", "if (maySend(this, packet, flags)) base", "base"],
    ["packets in", "if (mayReceive(this, packet)) base", "base"],
    ["those refused by a middleware", "removed(this);", ""],
    ["those that are gone", 'if (event === "disconnect") gone', "if (false) gone"],
  ]),
  ...of("socketio/gate/stand_in", [
    ["rooms", "      gate.waiting?.enter(rooms);\n", ""],
    ["rooms that are left", "gate.waiting?.leave(room);", ""],
    [
      "ids that another has by now",
      "if (gate.mayHear) return adapter.delAll(id);",
      "return adapter.delAll(id);",
    ],
    [
      "emits that pass, with an offset",
      "if (!gate.passesNow) return socket",
      "return socket",
    ],
    [
      "rooms to look at",
      "return new Set(gateOf(this.socket)!.waiting?.rooms);",
      "return new Set();",
    ],
    ["emits under recovery", "if (isPast) return", "return"],
    ["emits to those who are away", "isAway(socket) || !isToItself", "!isToItself"],
    [
      "sessions of nobody",
      'if (gateOf(this.socket)!.waiting?.outwards !== "over") adapter',
      "adapter",
    ],
    ["the adapter itself", "if (gate && !gate.mayHear) return", "if (false) return"],
  ]),
  ...of("core/waiting", [
    [
      "what is over, in",
      'if (this.outwards === "over") return false;\n    const { incoming',
      "const { incoming",
    ],
    ["what is over, out", 'this.outwards === "shut" && !isVolatile', "!isVolatile"],
    ["answers that a hook waits for", "if (this.isAdmitted && isResponse) return true;", ""],
    [
      "events that wait for a hook",
      'incoming === "drop" && !this.isAdmitted',
      'incoming === "drop"',
    ],
    ["events that pass", 'this.isOpenInwards || incoming === "pass"', "this.isOpenInwards"],
    ["what came in", 'this.#owner.cut("too_many_events");', ""],
    ["parts of larger buffers", "    if (size.hasBinary) compact(content);\n", ""],
    [
      "the total of what comes in",
      "compact(content);\n    this.#owner.holdings.update(this);",
      "compact(content);",
    ],
    ["freeing", "if (items.length > 0) this.#owner.holdings.update(this);", ""],
    ["who gives up", '    this.#owner.cut("server_busy");\n', ""],
    ["volatile emits", 'this.outwards === "shut" && !isVolatile', 'this.outwards === "shut"'],
    ["emits that are lost", "owner.report", "void 0 && owner.report"],
  ]),
  ...of("socketio/gate/traffic", [
    ["control packets of what is over", 'waiting.outwards !== "over" || isControl(packet)', "true"],
    ["sockets that are over and replaced", "if (isOver) callOff(socket);", ""],
  ]),
  ...of("socketio/joining", [
    ["one socket for each client", "  if (find(client, name)) return undefined;\n", ""],
    ["the end of joining", "if (isJoining(socket)) forget", "if (false) forget"],
    [
      "clients that leave meanwhile",
      "  forget(client, name);\n  joining?.",
      "  joining?.",
      "a socket that is cleaned up ends it, too, and there is none for a microtask only",
    ],
    ["the same, of a namespace that is gone", "client.nsps.get(name) !== socket", "false"],
    ["namespaces that are denied", "    denied();\n", ""],
    ["packets on their way to a socket that is over", "  client.nsps.set(name, socket);\n", ""],
    ["a transport that is gone", 'if (client.conn.readyState !== "open") return;', ""],
    [
      "pid and offset of before",
      "{ pid: _pid, offset: _offset, ...auth } = handshake.auth ?? {}",
      "auth = handshake.auth ?? {}",
      "a pid is good once, whoever comes with it",
    ],
  ]),
  ...of("socketio/install", [
    [
      "existing namespaces",
      "for (const nsp of namespace ? [namespace] : server._nsps.values()) watchGuarded(nsp);",
      "",
    ],
    ["later namespaces", "    watchGuarded(nsp);\n", ""],
    ["existing namespaces of a pattern", "existing.forEach(consider);", ""],
    ["later namespaces of a pattern", "consider([nsp, isUnder(parent, nsp)]);", ""],
    ["namespaces that nobody can tell", "      takeUnsure(nsp, error);\n", ""],
    ["the same, later", "(error) => takeUnsure(nsp, error)", "() => {}"],
    ["undecided namespaces", "if (undecided.has(nsp)) await undecided.get(nsp);", ""],
    ["the oldest pattern", "parent.children.has(nsp) ? -1 : placeOf(parent)", "0"],
    [
      "functions that fail at set-up",
      "const existing = isPattern ? askAbout([...server._nsps.values()], namespace) : [];",
      "const existing: Finding[] = [];",
    ],
    ["live sockets", "if (!gate) guardSocket(guard, socket);", "if (!gate) {}"],
    ["live sockets of another policy", "else if (gate.guard !== guard) gate.disconnect();", ""],
    [
      "new sockets",
      "!goOnJoining(joining, socket) || !guardSocket(guard, socket, true)",
      "!goOnJoining(joining, socket)",
    ],
    ["handshakes", "await verifyHandshake(socket, handshake)", "true"],
    ["those who ask for too much", "if (refusal) turnAway(socket, refusal);", ""],
    ["signed out, and asked again", "!handshake || isUnasked ||", "!handshake ||"],
    [
      "sockets on their way",
      "if (gate?.guard !== guard && !guardSocket(guard, socket)) return;",
      "",
    ],
    [
      "handlers that wait",
      "_doConnect.call(quiet, socket, fn);",
      "_doConnect.call(nsp, socket, fn);",
    ],
    ["sockets that leave", "if (gateOf(socket)) removed(socket);", ""],
    ["credentials of before", "bringsNothing ? {} : auth", "auth"],
    ["middlewares that go on twice", "if (gate && !isJoining(socket)) return;", ""],
    ["the first adapter", "  takeOverAdapter(nsp);\n}", "}"],
    [
      "adapters that are replaced",
      "    _initAdapter.call(nsp);\n    takeOverAdapter(nsp);",
      "    _initAdapter.call(nsp);",
    ],
  ]),
  ...of("socketio/claims", [
    ["a policy once", "if (target[GUARD]) {", "if (false) {"],
    ["patterns before the server", " ?? nsp[COVER]?.guard", ""],
    [
      "a policy of its own before patterns",
      "server[GUARDS]?.get(nsp.name) ?? nsp[COVER]?.guard",
      "nsp[COVER]?.guard ?? server[GUARDS]?.get(nsp.name)",
    ],
    [
      "namespaces that are made anew",
      "server[GUARDS]?.get(nsp.name)",
      "(nsp as Claimed)[GUARD]",
    ],
    ["open namespaces", "guard?.policy.open(nsp.name) ? undefined : guard", "guard"],
  ]),
  ...of("socketio/patterns", [
    ["expressions", "if (expression) return matches(expression, nsp.name);", ""],
    ["functions", 'nsp.name !== "/" && answerOf(ask as Asked, nsp.name)', "false"],
    ["the main namespace", 'nsp.name !== "/" && answerOf', "answerOf"],
    ["functions that answer later", "      settle = resolve;\n", ""],
    [
      "functions that reject",
      "      returned.catch(reject);\n",
      "      returned.catch(() => {});\n",
    ],
  ]),
  ...of("socketio/supported", [
    ["namespaces", 'need("Namespace", namespace);', ""],
    ["sockets", 'need("Socket", socketPrototype(namespace!));', ""],
    ["clients", 'need("Client", clientPrototype(server));', ""],
    ["nothing left behind", "delete (shared as { then?: unknown }).then;", ""],
  ]),
  ...of("socketio/bun_engine", [
    [
      "engines of bun only",
      "if (isBunEngine(engine)) listen(engine);",
      "listen(engine as BunEngine);",
    ],
  ]),
  ...of("core/verifier", [
    ["what verify returns", "if (!isThenable) return this.#resolved(answer);", ""],
    [
      "the first answer",
      '    if (this.#state !== "open") return;\n    this.#close("answered");',
      '    this.#close("answered");',
    ],
    [
      "failures of authenticate",
      "then.call(returned, resolved, failed)",
      "then.call(returned, resolved)",
    ],
    ["an error beside a user", "if (error) this.#answer(refusalOf(error));\n    else ", ""],
    ["a notice of both", "if (error && user) {", "if (false) {"],
    [
      "a notice of what is returned",
      "if (looksLikeAnswer(returned)) this.#suspect();",
      "",
    ],
    ["a notice of what is resolved with", "if (couldBeUser(value)) this.#suspect();", ""],
    [
      "no notice after a callback",
      '    if (this.#state !== "open") return;\n    this.#notice(',
      "    this.#notice(",
    ],
    ["errors in the place of users", "if (isError(user)) throw user;", ""],
    ["what can be no user", "if (objection === undefined) return", "if (true) return"],
    [
      "failures after the answer",
      'if (this.#state === "answered" && !isAuthError(error)) this',
      "if (false) this",
    ],
    ["a call of what is no function", "this.#policy.verify && isNotAFunction(error)", "false"],
    ["challenges apart", "- (this.#dialog?.duration ?? 0)", ""],
    ["the end of its time", "this.#endedAt = this.#guard.clock.monotonic();", ""],
  ]),
  ...of("core/users", [
    [
      "arrays",
      'if (Array.isArray(answer)) return "an array: of rows, take the one that is the user";',
      "",
    ],
    [
      "promises",
      "if (isFunction((answer as { then?: unknown }).then)) return",
      "if (false) return",
    ],
    ["responses", 'if (kind === "Response") return', "if (false) return"],
    ["boxed values", "if (BOXED.has(kind)) return", "if (false) return"],
    ["unknown facts", "if (FACTS.has(name)) continue;", "continue;"],
    ["empty ids", "if (isText(text)) return text;", 'if (typeof text === "string") return text;'],
    [
      "ids that are no number",
      "|| Number.isFinite(id)) return",
      '|| typeof id === "number") return',
    ],
    ["ids of users", "if (canBeId(fields.id)) return fields.id;", ""],
    ["ids that differ", "different.size > 1 ? AMBIGUOUS : others[0]", "others[0]"],
    [
      "users that are their own id",
      "return user === true ? undefined : user;",
      "return undefined;",
    ],
  ]),
  ...of("core/identities", [
    ["facts", "?? facts.userId ?? this", "?? this"],
    [
      "options before facts",
      "policy.sessionId?.(user) ?? facts.sessionId",
      "facts.sessionId ?? policy.sessionId?.(user)",
    ],
    ["sessions without an id", 'session[name] === undefined ? "without" : "with"', '"with"'],
    ["nobody with an id", "if (seen.with || !seen.without) return;", "return;"],
    ["where an option says so", "    if (this.#policy.userId) return;\n", ""],
  ]),
  ...of("core/notices", [["once", "if (last !== undefined && now - last < pause) return;", ""]]),
  ...of("core/console", [
    ["a flood", "if (count > MOST) return;", ""],
    ["how many were left out", "if (left > 0) console", "if (false) console"],
  ]),
  ...of("core/errors", [
    [
      "errors of another copy",
      "return readProperty(error, BRAND) === true;",
      "return error instanceof AuthError;",
    ],
    [
      "errors that cannot be looked at",
      "return (value as Record<string | symbol, unknown> | null | undefined)?.[name];\n  } catch {",
      "return (value as Record<string | symbol, unknown> | null | undefined)?.[name];\n  } catch (error) {\n    if (error) throw error;",
    ],
    ["codes that are none", "code: isText(code) ? code : defaults.code", "code: code as string"],
    [
      "reports of those that say nothing",
      "{ refusal } : { refusal, error }",
      "{ refusal } : { refusal }",
    ],
    ["when to come back", "defaults.reconnect || isDuration(retryAfter)", "defaults.reconnect"],
  ]),
  ...of("core/session", [
    ["the year 1970", "if (ms === 0) {", "if (false) {"],
    ["seconds", "if (ms >= SECONDS.from && ms < SECONDS.to)", "if (false)"],
  ]),
  ...of("core/timer", [
    ["catching up", "if (!this.#cancel || this.#due > this.#time()) return;", "if (true) return;"],
    ["stopped for good", "this.#cancel = this.#left = undefined;", "this.#cancel = undefined;"],
  ]),
  ...of("socketio/cluster/cluster", [
    ["hearing", "if (!this.#receive(args)) _on", "_on"],
    ["closing", "      this.#isClosed = true;\n", ""],
    ["saying it again", "for (const one of message) this.#revoke(one);", ""],
  ]),
  ...of("core/clock", [["processes that end", "    detach(timer);\n", ""]]),
  ...of("socketio/recovery/recovery", [
    ["what must not be recovered", "if (!guard.mayRecover(kept.node, previous)) return null;", ""],
    ["whose it is", "|| !isKept(session)", ""],
    ["where it was kept", "|| !isMeantFor(kept, nsp.name, guard)", ""],
    ["a pid is spent", "spent.has(kept) ||", ""],
    ["keys that no client can name", "pid.startsWith(PREFIX) ? null : await", "await"],
    ["lost again", "    recovered.keepAgain();\n", ""],
    ["rooms left meanwhile", "filter((room) => current.includes(room))", "filter(() => true)"],
    ["what is missed, looked at", "missedPackets.every(Array.isArray)", "true"],
    ["words", "if (error instanceof Error) guard", "guard"],
  ]),
  ...of("socketio/recovery/kept", [
    ["kept for known users", "if (session.userId === undefined) {", "if (false) {"],
    [
      "kept for those signed in",
      "!gate.isAdmitted ||",
      "",
      "a pending socket has no session",
    ],
    ["how long ago", "&& age <= guard.retention", ""],
  ]),
  ...of("socketio/gate/events", [
    ["lost before it was connected", "gate.waiting?.recovered?.keepAgain();", "{}"],
    ["handshakes that a middleware refuses", "  gone(socket, BY_SERVER);\n", ""],
    ["transports without a socket", "if (gate.connection.isEmpty) follow", "if (false) follow"],
  ]),
  ...of("socketio/gate/gated", [
    ["in its rooms first", "await raw.nsp.adapter.addAll(raw.id, new Set(this.rooms));", ""],
    [
      "rooms left in the middle",
      "if (!rooms.every((room) => this.rooms.includes(room))) continue;",
      "",
    ],
  ]),
  ...of("socketio/recovery/catch_up", [
    ["broadcasts meanwhile", "if (this.#held) this.#held.push(write);\n    else ", ""],
    ["what was sent as missed", "if (packet && this.#sent.has(offsetOf(packet))) return;", ""],
    ["the socket's own packets", "client._packet(...args)", "{}"],
    ["leaving nothing behind", "this.#timer = setTimeout(() => this.end(), SETTLE);", ""],
  ]),
  ...of("core/contain", [
    ["hooks and stores that fail later", ".catch(report).then(done)", ".then(done)"],
  ]),
  ...of("core/within", [
    ["limiters and stores that hang", "reject(new Error(", "void (new Error("],
  ]),
  ...of("socketio/gate/gate", [
    ["adapter replaced meanwhile", "raw.adapter = raw.nsp.adapter;", ""],
    ["rooms when shut", "    this.#raw.nsp.adapter.delAll(this.#raw.id);\n", ""],
    ["topics when shut", "    leaveTopics(this.#raw);\n", ""],
    ["the end of catching up", "    endCatchUp(this.#raw);\n", ""],
    ["falling behind", "    this.#waiting.fallBehind();\n", ""],
    [
      "open once",
      'if (waiting?.outwards === "shut") this',
      "if (waiting) this",
      "the core opens it once, and never after it was silenced",
    ],
    ["met once", "if (this.#waiting?.isIntroduced !== false) return;", ""],
    ["met before", "this.#raw.rooms, this.#raw.connected)", "this.#raw.rooms, false)"],
    [
      "over for good",
      'if (!waiting || waiting.outwards === "over") return;',
      "if (!waiting) return;",
    ],
    [
      "emits that nobody waits for",
      "if (packet.id !== undefined && !this.#raw.acks.has(packet.id!)) continue;",
      "",
    ],
    ["a new socket", "joinAgain(this.#raw, () => sendPast(this.#raw, { type: DISCONNECT }));", ""],
  ]),
  ...of("socketio/guarding", [
    ["refreshes", "if (!before) socket.on(AUTHENTICATION, onAuthentication);", ""],
    ["one listener", "if (!before) socket.on", "socket.on"],
  ]),
  ...of("core/guard", [
    ["too many", "needsPlace && this.journal.isFull", "false"],
    ["nodes that have just started", "if (!isOwn && this.clock", "if (false && this.clock"],
    ["sessions of before a pause", "&& (previous.since ?? -Infinity) >= since;", ";"],
    ["saying it again", "    this.#wakeReminders();\n    try", "    try"],
    ["handing it on", "    this.#wakeReminders();\n    return", "    return"],
    ["transports in use", "if (binding.isShared(transport)) return;", ""],
    ["dropping", "binding.drop(transport)", "undefined"],
  ]),
  ...of("socketio/handshake", [
    ["pid and offset", "pid: _pid, offset: _offset, ", ""],
    ["a refusal", "if (!outcome.ok) refuse(socket, outcome);", ""],
    ["cleaning up", "  socket._cleanup();\n", ""],
  ]),
  ...of("socketio/transport", [
    ["transports in use", "if (!gate || gate.isAdmitted) return true;", ""],
    ["closing", "client._disconnect();", ""],
  ]),
  ...of("core/machine", [
    ["the same user", "if (current && !sameUser(current, event.session))", "if (false)"],
    ["the same user, joining", "return Boolean(current && previous &&", "return Boolean(false &&"],
    ["revocations", "const isMeant = current &&", "const isMeant = false &&"],
    ["sessions since", "&& (since ?? -Infinity) <= at", ""],
    [
      "late acceptance",
      "if (event.attempt !== state.attempt) return stay(state);\n  const current",
      "const current",
    ],
    ["late refusal", "if (attempt !== state.attempt) return stay(state);", ""],
    ["one attempt at a time", "if (state.attempt) return decline", "if (false) return decline"],
    ["nobody to compare with", "state.session.userId === undefined\n        ?", "false\n        ?"],
    [
      "not welcome where all is over",
      "    ended: (state, event) => end(state.failures, event.refusal),\n  },\n\n  pending",
      "  },\n\n  pending",
    ],
    [
      "sessions that outlive their sockets",
      "    deserted: (state) => becomeIdle(state.failures),\n",
      "",
    ],
    ["grace", "session.expiresAt + rules.grace", "session.expiresAt"],
    ["attempts", "if (failures >= rules.attempts) return", "if (false) return"],
  ]),
  ...of("core/connection", [
    ["sockets for each transport", "++this.asked > ASKED_LIMIT", "false"],
    ["late credentials", "    this.lookAtClock();\n    if", "    if"],
    [
      "payloads that are too large",
      'isTooMuch ? unauthorized("invalid_credentials") : undefined',
      "undefined",
    ],
    [
      "ids of lost connections",
      "    this.#adopt(peer);\n    const { previous } = peer;\n    const has",
      "    const { previous } = peer;\n    const has",
    ],
    ["those who are met at once", 'if (this.guard.policy.connection === "connected") this', "this"],
    ["the last one to leave", "if (this.peers.isEmpty) this", "if (false) this"],
    [
      "too many while joining",
      "if (!this.guard.journal.isFull) return this.#submit",
      "return this.#submit",
    ],
    ["a place that is taken already", "&& !hasPlace;", ";"],
    ["no need for credentials", "if (!isNeeded) return", "if (false) return"],
  ]),
  ...of("core/performer", [
    ["the deadline", "return this.#startDeadline(effect.ms)", "return"],
    [
      "those who fall behind",
      "    this.peers.fallBehind();\n    submission?.refuse",
      "    submission?.refuse",
    ],
    [
      "answers that count at once",
      "this.afterwards(() => this.#verify(submission!))",
      "this.afterwards(() => queueMicrotask(() => this.#verify(submission!)))",
    ],
    [
      "hooks that take effect at once",
      "this.afterwards(() => this.peers.welcome(peer))",
      "this.afterwards(() => queueMicrotask(() => this.peers.welcome(peer)))",
    ],
    ["namespaces asked for before the sign-in", "    this.asked = 0;\n", ""],
    [
      "attempts that are over before they begin",
      "if (submission !== this.#running) return;",
      "",
    ],
    [
      "a refresh while others join",
      "this.#announce([peer], this.state.session, undefined)",
      "this.#announce([peer], this.state.session, this.#settle())",
    ],
    ["watching for revocations", "else revocations.watch(this);", ""],
    ["forgetting", "revocations.forget(this);", "{}"],
  ]),
  ...of("socketio/connections", [
    ["transports that close first", 'if (conn.readyState !== "open") return close', "close"],
    ["transports that close later", '  conn.on("close", closeConnections);\n', ""],
    ["connections with sockets", "if (connection.isEmpty) connection", "connection"],
  ]),
  ...of("core/revocations", [
    ["once each", "if (again) {", "if (false) {"],
    ["remembered first", "    this.#remember(target, list);\n", ""],
    ["only those before", "since <= at && !isSpared", "!isSpared"],
    ["whom it spares", "except !== undefined && except === connection", "false"],
    ["being late", "if (isNews && age > OVERDUE && at > this.awareness.since)", "if (false)"],
    ["what is no news", "if (isNews && age > OVERDUE", "if (age > OVERDUE"],
    [
      "having forgotten",
      "if (last!.at > this.#clock.monotonic() - this.#retention) this.awareness.lose();",
      "",
    ],
    ["whom it spares, said again", "...except !== undefined && { except } ", ""],
    ["others that say it", "      again.reminder = nextReminder(again.at, now);\n", ""],
    ["those that were made at once", "all.slice(0, KNOWN)", "all.slice(0, 0)"],
    [
      "what others have revoked",
      "return last!.except === undefined || !other ? [last!] : [last!, other];",
      "return [last!];",
    ],
    [
      "both of a target",
      "said.some(({ reminder }) => reminder.from <= now)",
      "said[0]!.reminder.from <= now",
    ],
    [
      "while attempts run",
      "if (verifyingSince !== undefined && verifyingSince < horizon)",
      "if (false)",
    ],
    ["forgotten", "this.#connections.delete(connection);", ""],
  ]),
  ...of("core/challenge", [
    [
      "the challenge's own time",
      "this.#clock.after(timeout, () => giveUp",
      "(() => () => {})(() => giveUp",
    ],
    ["size of answers", "if (isOverLimit(answer, this.#maxBytes)) giveUp", "if (false) giveUp"],
    ["late answers", "if (this.#clock.monotonic() > due)", "if (false)"],
    ["one question at a time", "    if (this.#giveUp) {", "    if (false) {"],
    ["no question after the end", "if (this.#isOver) throw", "if (false) throw"],
    ["promises nobody awaits", "answer.catch(() => {});", ""],
    ["the deadline stands still", 'this.#onChange("challenged");', ""],
    ["the deadline runs on", 'this.#onChange("answered");', ""],
    ["questions that are taken back", "        forget();\n", ""],
  ]),
  ...of("core/lanes", [
    [
      "points back",
      "await this.#soon(async () => await this.#limiter.reward?.(this.#key, 1));",
      "{}",
    ],
    ["in the same window", "if (this.#clock.monotonic() > until) return;", ""],
    [
      "failures of limiters",
      'if (typeof Object(rejection).msBeforeNext !== "number") throw rejection;',
      "",
    ],
    [
      "those that are refused",
      "if (mayGiveBackRefused(this.#limiter, answer)) await",
      "if (false) await",
    ],
    ["those that are not counted", "return isCounted && !", "return !"],
    ["those that block", "!(blockDuration > 0) && ", ""],
    ["waiting for who is under way", "const isHopeless = this.#out === 0 &&", "const isHopeless ="],
    ["one at a time", "if (this.#isAsking) return;", ""],
    ["who has left", "if (place >= 0) this.#waiting.splice(place, 1);", ""],
    ["new windows", "if (this.#waiting.length > 0) this.#waitForWindow();\n    else if", "if"],
  ]),
  ...of("core/spreading", [
    ["one after the other", "    this.#next = at + 1000 / this.#pace;\n", ""],
    ["the verifier's pace", "    this.#counts[this.#second % MEMORY]!++;\n", ""],
  ]),
  ...of("core/holdings", [
    ["the total", "if (this.#total > this.#limit) this", "if (false) this"],
    ["the largest", "if (!largest || cost > this.#costs.get(largest)!)", "if (!largest)"],
  ]),
  ...of("core/compact", [[
    "small parts",
    "return buffer.byteLength > 2 * byteLength;",
    "return false;",
  ]]),
  ...of("socketio/transport", [
    ["transports that were begun", "  upgradeOf(conn)?.socket?.terminate?.();\n", ""],
  ]),
  ...of("core/throttle", [
    ["keys that are none", "list.every(isText)", "true"],
  ]),
  ...of("core/submission", [
    [
      "size before all else",
      "if (isOver(size, policy.maxCredentials))",
      "if (false)",
    ],
    ["schemas", "if (result.issues) return", "if (false) return"],
    ["what a schema makes of it", "this.#credentials = result.value;", ""],
  ]),
  ...of("core/peers", [
    ["counted out", 'journal.count(peer.session ? "authenticated" : "pending", -1);', ""],
    ["what was missed before handlers", "if (!behind) return go();", "return go();"],
    ["silent before the news", "this.#forEach(peers, (peer) => peer.silence());", ""],
    ["handlers of those who are in", "if (isIn()) this.introduce(peer);", "this.introduce(peer);"],
    ["hooks of those who are in", "if (!isIn()) return;", ""],
  ]),
  ...of("core/submission", [
    [
      "revoked meanwhile",
      "if (this.#isRevoked(session)) return this.#refuse",
      "if (false) return this.#refuse",
    ],
    ["revoked by whoever was told", "&& this.#isRevoked(judged.session)", "&& false"],
    ["expired on arrival", "if (isExpired(session, clock.now(), policy.grace))", "if (false)"],
    ["late schemas and limiters", "if (this.#isOver) return;\n      if (refusal)", "if (refusal)"],
    [
      "servers that are too slow",
      'if (code === "timeout" && !this.#isChallenged) this.#isGuess = false;',
      "",
    ],
    [
      "verifiers that are broken",
      '"refusal" in verdict && !("error" in verdict)',
      '"refusal" in verdict',
    ],
    [
      "verifiers whose attempt has ended",
      "this.#verification?.end();",
      "",
    ],
    ["30 seconds", "if (!isBounded) this.#limit", "if (false) this.#limit"],
    [
      "30 seconds, challenges apart",
      'if (type === "challenged") this.#limit?.pause();\n      else this.#limit?.resume();',
      "",
    ],
    ["places while joining", 'if (this.#isJoining) guard.journal.count("pending", 1);', ""],
    [
      "places given back while joining",
      'if (this.#isJoining) this.#guard.journal.count("pending", -1);',
      "",
    ],
    [
      "undone while joining",
      'this.#isJoining ? unauthorized("server_error") : undefined',
      "undefined",
    ],
  ]),
  ...of("core/measure", [
    ["size of credentials", "bytes > maxBytes ||", ""],
    ["depth of credentials", "|| depth > MAX_DEPTH", ""],
  ]),
  ...of("core/policy", [
    ["answers at once", "if (!(answer instanceof Promise)) return answer;", "return answer;"],
  ]),
  ...of("socketio/gate/challenges", [
    [
      "answers to challenges only",
      "isAck(packet) && answers.has(Object(acks.get(packet.id!)))",
      "isAck(packet)",
    ],
  ]),
  ...of("socketio/address", [
    ["addresses of IPv4", "MAPPED.exec(address)?.[1] ?? address", "address"],
  ]),
  ...of("client/line", [
    ["what waits", "if (isOpen || packet.type !== EVENT) write", "if (true) write"],
    ["volatile events", "else if (!socket.flags.volatile) socket", "else socket"],
    ["what came before CONNECT", "emitBuffered() {},", ""],
    ["what came before CONNECT, afterwards", "      socket.receiveBuffer = [];\n", ""],
    ["listeners for what goes out later", "if (isOpen) base.notify", "base.notify"],
    [
      "listeners for what goes out now",
      "safely(() => base.notify",
      "[0].forEach(() => base.notify",
    ],
    ["events that are tried again", "if (isOpen || !flags.fromQueue) return", "return"],
    ["what others have put there", "if (socket[method] === replaced[method]) delete", "delete"],
    [
      "what others had put there",
      "if (socket.emit === base.emit && emit !== base.emit)",
      "if (false)",
    ],
    ["a DISCONNECT that is late", "if (socket.connected) base.ondisconnect", "base.ondisconnect"],
    ["an application that leaves unheard", "if (!connected) {", "if (false) {"],
    ["its own leaving", "if (!isLeaving) happened", "happened"],
    [
      "listeners that throw",
      "} finally {\n        received(event);\n      }",
      "received(event); } finally {}",
    ],
    [
      "the order of listeners",
      "&& (packet = socket.sendBuffer.shift());) {",
      "&& (isOpen = true) && (packet = socket.sendBuffer.shift());) {",
    ],
    ["CONNECT after stop()", "      pending?.();\n", ""],
    ["what waits after stop()", "socket.emitBuffered();", ""],
    [
      "what `retries` keeps after stop()",
      "emitBuffered();\n        emitQueued?.();",
      "emitBuffered();",
    ],
    ["what was another's", "if (drops) drop(socket);", "if (drops);"],
    ["a queue that waits for a line", "giveUp);\n  // What", "giveUp);\n  if (false) // What"],
    [
      "a queue that is left offline",
      "if (!goesOn) return;\n      pending?.();",
      "pending?.();\n      return;",
    ],
    ["a queue that is left", "head.pending = false;", ""],
    ["what would be recovered", "renewed.add(socket);", ""],
    [
      "what was tried again for another",
      "  socket._queue = emittedMeanwhile;",
      "  socket._queue = queue;",
    ],
    ["`retries` without end", "options.retries = -1;", ""],
    ["a manager that has left", "&& !io.skipReconnect", ""],
    [
      "who comes second",
      "=== socket;\n}\n\nfunction isTaken",
      "!== undefined;\n}\n\nfunction isTaken",
    ],
  ]),
  ...of("client/machine", [
    [
      "one try after the end",
      "isExpired ? !renews : error.reconnect",
      "isExpired || error.reconnect",
    ],
    ["a session that goes on", 'if (isIn && error.code === "credentials_failed")', "if (false)"],
    ["the server's wish", "Math.max(0, Number(error.retryAfter) || 0)", "0"],
    [
      "wishes that are none",
      "Math.max(0, Number(error.retryAfter) || 0)",
      "(error.retryAfter ?? 0)",
    ],
    ["jitter", "const delay = random * Math.min", "const delay = Math.min"],
    ["backoff", "FIRST_DELAY * 2 ** failures", "FIRST_DELAY"],
    ["sessions that do not hold", "now - since! >= HOLDS ? 0 : failures", "0"],
    ["refreshes in vain", "isVain ? FIRST_DELAY : LEAST_DELAY", "0"],
    ["short sessions", "expiresIn / 2, least", "least"],
    ["what the server says unasked", "return event.detail ? {", "return false ? {"],
  ]),
  ...of("client/client", [
    ["answers that are late", "if (current !== asked) return;", ""],
    ["failures that are late", "if (current === asked) on", "on"],
    ["what cannot be sent", "void JSON.stringify(obtained = answer)", "void (obtained = answer)"],
    [
      "who is signed out",
      'if (code === "signed_out") signedOut.set(socket, socket.id);\n    else if',
      "if",
    ],
    ["a CONNECT that is on its way", "&& signedOut.get(socket) !== socket.id", ""],
    ["who stops while signed in", "wasIn && !wasReleased", "wasIn"],
    ["names of the server's", "if (Object.hasOwn(received, name as Message)) received", "received"],
    [
      "promises that are kept later",
      'if (name !== "waiting" || "cause" in error) {',
      "{",
    ],
    ["who has stopped", 'if (state.name === "stopped") reject(state.error);\n      else', ""],
    ["listeners that are gone", "if (listeners.has(listener)) listener();", "listener();"],
    [
      "subscribers that throw",
      "queueMicrotask(() => {\n        if (listeners",
      "[0].forEach(() => {\n        if (listeners",
    ],
  ]),
];
