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
  ...of("adapters/prototype", [
    ["rooms", "return waiting ? new Set(waiting.rooms) :", "return"],
    ["join", "if (!waiting) return base.join", "return base.join"],
    ["leave", "return waiting ? waiting.leave(room) : base", "return base"],
    ["leaveAll", "return waiting ? waiting.leave() : base", "return base"],
    ["emit", "if (!waiting) return base.emit", "return base.emit"],
    ["emit under recovery", "? emitStraight(this, emit) :", "&& false ? true :"],
    ["incoming packets", "if (!waiting || ", "if (true || "],
    ["connecting", "if (waitingAt(this)) gateOf(this)!.connect();", ""],
    [
      "end of joining, connected",
      "endJoining(this.nsp, this.client);\n      base._onconnect",
      "base._onconnect",
      "Socket.IO itself closes a transport that sends CONNECT twice, and after a disconnect _cleanup ends it",
    ],
    [
      "end of joining, refused",
      "endJoining(this.nsp, this.client);\n      base._cleanup",
      "base._cleanup",
    ],
  ]),
  ...of("adapters/install", [
    ["existing namespaces", "for (const nsp of server._nsps.values()) watchNamespace(nsp);", ""],
    ["later namespaces", "onNamespace(server, watchNamespace);", ""],
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
    ["live sockets", "if (!gate) tryToGuard(guard, socket);", "if (!gate) {}"],
    ["live sockets of another policy", "else if (gate.host !== guard) gate.disconnect();", ""],
    ["new sockets", "tryToGuard(guard, socket) &&", "true &&"],
    ["handshakes", "await verifyHandshake(socket)", "true"],
    ["sockets on their way", "!guard || gateOf(socket)?.host === guard ||", "true ||"],
    ["one socket for each client", "if (!beginJoining(nsp, client) ||", "if ("],
    ["recovery of the first adapter", "    makeRecoverySafe(nsp);\n", ""],
  ]),
  ...of("adapters/claims", [
    ["a policy once", "if (target[GUARD]) throw", "if (false) throw"],
    ["patterns before the server", "nsp[GUARD] ?? nsp[COVER]?.guard", "nsp[GUARD]"],
    [
      "a policy of its own before patterns",
      "nsp[GUARD] ?? nsp[COVER]?.guard",
      "nsp[COVER]?.guard ?? nsp[GUARD]",
    ],
    ["open namespaces", "guard?.policy.isOpen(nsp.name) ? undefined : guard", "guard"],
  ]),
  ...of("adapters/patterns", [
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
  ...of("adapters/supported", [
    ["namespaces", 'need("Namespace", namespace, NAMESPACE_METHODS);', ""],
    ["sockets", 'need("Socket", socketPrototype(namespace!), SOCKET_METHODS);', ""],
    ["nothing left behind", "delete (shared as { then?: unknown }).then;", ""],
  ]),
  ...of("adapters/bun_engine", [
    [
      "engines of bun only",
      "if (isBunEngine(engine)) listen(engine);",
      "listen(engine as BunEngine);",
    ],
  ]),
  ...of("core/attempt", [
    ["what a callback's function returns", "policy.authenticate.length >= 3", "false"],
    ["a look", "if (callsBack && !hasLooked) {", "if (callsBack) {"],
    ["no look", "if (callsBack && !hasLooked) {", "if (false) {"],
    ["a look at the signal", "    hasLooked = true;\n", ""],
    ["a look at challenge", "(hasLooked = true, ask)", "ask"],
    ["a driver's own promise", "isNative ? resolved : undefined", "resolved"],
    [
      "the first answer",
      '    if (state !== "open") return;\n    state = "answered";',
      '    state = "answered";',
    ],
    ["help", 'if (ending === "overdue" && isUnheard)', "if (false)"],
    ["help for what is resolved with", "      isUnheard = value !== undefined;\n", ""],
    ["no help where nothing was returned", "failed) && value !== undefined;", "failed);"],
    ["help for both ways at once", "if (hasResolved) report", "if (false) report"],
    ["failures after the answer", 'if (state === "answered" && !isMeantForClient)', "if (false)"],
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
    ["when to come back", "defaults.reconnect || isDelay(retryAfter)", "defaults.reconnect"],
  ]),
  ...of("core/session", [
    ["empty ids", ' && id !== "") return id', ") return id"],
    ["ids that are no number", "Number.isFinite(id)", 'typeof id === "number"'],
    [
      "ids of users",
      'return ["string", "number", "bigint"].includes(typeof id) ? id : undefined;',
      "return undefined;",
    ],
    ["seconds", "if (ms >= SECONDS.from && ms < SECONDS.to)", "if (false)"],
  ]),
  ...of("core/timer", [
    ["catching up", "if (!this.#cancel || this.#due > this.#time()) return;", "if (true) return;"],
    ["stopped for good", "this.#cancel = this.#left = undefined;", "this.#cancel = undefined;"],
  ]),
  ...of("adapters/recovery", [
    ["kept for known users", "|| session?.userId === undefined", ""],
    ["kept for those signed in", "!gate.isAdmitted ||", ""],
    ["what was revoked", 'if (verdict === "revoked") return null;', ""],
    ["where it was kept", "|| !isMeantFor(kept, nsp, guard)", ""],
    ["users kept only to resume", 'host.policy.recovery === "resume" &&', ""],
    ["a pid is spent", "|| spent.has(kept)", ""],
    ["what is sent during sign-in", "if (missed) return missed;", ""],
    ["rooms left meanwhile", "filter((room) => rooms.includes(room))", "filter(() => true)"],
  ]),
  ...of("adapters/gate", [
    ["inbox limit", "if (!this.#inbox.add(packet, bytes, holdLimit)) {", "if (false) {"],
    ["volatile emits", "!flags.volatile && !isOver && waiting", "!isOver && waiting"],
    ["adapter replaced meanwhile", "this.#raw.adapter = nsp.adapter;", ""],
    ["rooms when shut", "this.#raw.leaveAll();", ""],
    ["topics when shut", "leaveTopics(this.#raw);\n      this", "this"],
    ["topics when gone", "leaveTopics(this.#raw);\n    this", "this"],
    ["shut again while opening", "this.#waiting === waiting && waiting.isOpening", "true"],
  ]),
  ...of("adapters/guard", [
    ["refreshes", 'socket.on("authentication", onAuthentication);', ""],
    ["disconnects", 'socket.on("disconnect", onDisconnect);', ""],
    ["one set of listeners", "if (!hadGate) {", "{"],
  ]),
  ...of("adapters/handshake", [
    ["pid and offset", "pid: _pid, offset: _offset, ", ""],
    ["a refusal", "if (!outcome.ok) refuse(socket, outcome);", ""],
    ["cleaning up", "  socket._cleanup();\n", ""],
  ]),
  ...of("adapters/transport", [
    ["transports in use", "if (!gate || gate.isAdmitted) return true;", ""],
    ["closing", "client._disconnect();", ""],
    ["closing for good", "clock.after(LINGER, drop);", ""],
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
    ["one attempt at a time", "if (state.attempt) {", "if (false) {"],
    [
      "not welcome where all is over",
      "    ended: (state, event) => end(state.failures, event.refusal),\n  },\n};",
      "  },\n};",
    ],
    ["attempts", "if (failures >= rules.attempts) return", "if (false) return"],
  ]),
  ...of("core/connection", [
    ["sockets for each transport", "++this.#approaches <= APPROACHES_LIMIT", "true"],
    ["the deadline", "this.#alarm.setDeadline(effect.ms, () =>", "void (() =>"],
    ["late answers", "      this.#alarm.catchUp();\n      this", "      this"],
    ["late credentials", "    this.#alarm.catchUp();\n    if", "    if"],
    [
      "answers that count at once",
      "    this.#queue = undefined;\n    }\n    this.#verify();",
      "    this.#queue = undefined;\n    }\n    queueMicrotask(() => this.#verify());",
    ],
    [
      "attempts that are over before they begin",
      "if (!submission || submission !== this.#running) return;",
      "if (!submission) return;",
    ],
    ["too many", "needsPlace && journal.isFull", "false"],
    [
      "too many at the door",
      "if (!this.host.journal.isFull) return this.#submit",
      "return this.#submit",
    ],
    ["a place for whoever has knocked", "!resumed && !hasKnocked", "!resumed"],
    [
      "a refresh while others join",
      "this.#announce([peer], session, undefined)",
      "this.#announce([peer], session, this.#settle())",
    ],
    ["no need for credentials", "if (!isNeeded) return", "if (false) return"],
    ["resumed too late", "resumable && !isExpired(resumable, clock.now())", "resumable"],
    [
      "watching for revocations",
      "    this.host.revocations.watch(this);\n    this.#members",
      "    this.#members",
    ],
    ["watching handshakes", "    this.host.revocations.watch(this);\n    const", "    const"],
  ]),
  ...of("core/revocations", [
    ["once each", "if (known && (known.id === id || known.at >= at))", "if (false)"],
    ["remembered first", "    this.#remember(key, { id, target, at, count: 0 });\n", ""],
    ["only those before", "entry.at >= since", "true"],
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
  ...of("core/throttle", [
    ["points", "await limiter.consume(key);", ""],
    ["points back", "await limiter.reward?.(key, 1);", ""],
    ["failures of limiters", 'if (typeof msBeforeNext !== "number")', "if (false)"],
    ["keys that are none", 'typeof key === "string" && key !== ""', "true"],
  ]),
  ...of("core/screening", [
    ["size before all else", "if (isOverLimit(credentials, policy.maxCredentials))", "if (false)"],
    ["schemas", "if (result.issues) return", "if (false) return"],
    ["what a schema makes of it", "credentials = result.value;", ""],
  ]),
  ...of("core/members", [
    ["counted out", 'journal.count(peer.session ? "authenticated" : "pending", -1);', ""],
    ["shut before the news", "this.#forEach(peers, (peer) => peer.shut(true));", ""],
  ]),
  ...of("core/submission", [
    ["revoked meanwhile", "if (revocations.covers(session, this.begunAt))", "if (false)"],
    ["expired on arrival", "if (isExpired(session, now))", "if (false)"],
    ["late schemas and limiters", "if (this.#isOver) return;", ""],
    ["verifiers that end their own attempt", 'if (this.#isOver) this.#stop("ended");', ""],
    ["30 seconds", "if (!isBounded) this.#limit", "if (false) this.#limit"],
    [
      "30 seconds, challenges apart",
      'if (type === "challenged") this.#limit?.pause();\n        else this.#limit?.resume();',
      "",
    ],
    ["places at the door", 'if (this.#isAtTheDoor) host.journal.count("pending", 1);', ""],
    [
      "places given back at the door",
      'if (this.#isAtTheDoor) this.#host.journal.count("pending", -1);',
      "",
    ],
    [
      "undone at the door",
      'this.#isAtTheDoor ? unauthorized("server_error") : undefined',
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
  ...of("adapters/questions", [
    [
      "answers to challenges only",
      "isAck(packet) && answers.has(Object(acks.get(packet.id!)))",
      "isAck(packet)",
    ],
  ]),
  ...of("adapters/address", [
    ["addresses of IPv4", "MAPPED.exec(address)?.[1] ?? address", "address"],
  ]),
];
