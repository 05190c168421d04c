/**
 * What was measured, as the tables of `docs/performance.md`.
 *
 * @module
 */
import type { Results, Row } from "./results.ts";
import type { Spread } from "./statistics.ts";

type Cells = readonly string[];

/** The tables by name, as the document marks their places. */
export function tablesOf(results: Results): Readonly<Record<string, string>> {
  const { rows, growth, silence, attempts, revoked, sizes, path, startup, machine } = results;
  return {
    machine: table(["", ""], [
      ["measured on", results.date],
      ["processor", `${machine.processor}, ${machine.cores} cores`],
      ["memory", machine.memory],
      ["system", machine.system],
      ["versions", Object.entries(machine.versions).map((pair) => pair.join(" ")).join(", ")],
    ]),
    costs: costsTable(rows),
    growth: table(
      ["with", "a sign-in, ours", "by hand", "ratio", "heap of a socket, ours", "by hand", "more"],
      growth.map(({ name, ours, theirs }) => [
        name,
        `${round(ours.signIn)} µs`,
        `${round(theirs.signIn)} µs`,
        (ours.signIn / theirs.signIn).toFixed(2),
        `${round(ours.heap)} B`,
        `${round(theirs.heap)} B`,
        `${round(ours.heap - theirs.heap)} B`,
      ]),
    ),
    floods: table(["", "silent clients", "attempts at a slow verifier"], [
      ["clients", count(silence.clients), count(attempts.clients)],
      ["took", seconds(silence.duration), seconds(attempts.duration)],
      ...(["before", "during", "after"] as const).map((when) => [
        `event loop late ${when}: median, 99 %, most`,
        ...[silence, attempts].map(({ delay }) => {
          const { median, p99, max } = delay[when];
          return `${round(median)}, ${round(p99)}, ${round(max)} ms`;
        }),
      ]),
      ["heap before", megabytes(silence.heap.before), megabytes(attempts.heap.before)],
      ["heap after", megabytes(silence.heap.after), megabytes(attempts.heap.after)],
      [
        "cut after the deadline: median, 99 %, most",
        [silence.lateness.median, silence.lateness.p99, silence.lateness.max].map(round)
          .join(", ") + " ms (budget: 150)",
        "",
      ],
    ]),
    revoked: table(
      ["nodes", "sockets", "from the call to the first closed", "from first to last"],
      [[
        String(revoked.nodes),
        count(revoked.counted),
        `${round(revoked.first)} ms`,
        `${round(revoked.spread)} ms (budget: 1,000)`,
      ]],
    ),
    sizes: table(
      ["entry point", "minified", "and gzipped", "budget"],
      sizes.map(({ name, minified, gzip, budget }) => [
        name,
        kilobytes(minified),
        kilobytes(gzip),
        budget === undefined ? "" : kilobytes(budget),
      ]),
    ),
    path: table(["functions", "files"], [
      [`${path.functions} (budget: 60)`, `${path.files} (budget: 16)`],
    ]),
    startup: table(
      ["where", "this package", "socket.io"],
      startup.map(({ runtime, ours, socketio }) => [
        runtime,
        `${round(ours.median)} ms`,
        `${round(socketio.median)} ms`,
      ]),
    ),
  };
}

/** What was measured against the same work without this package. */
export function costsTable(rows: readonly Row[]): string {
  return table(
    ["what", "against", "where", "ours", "theirs", "compared", "cold", "budget"],
    rows.map(costs),
  );
}

function costs(
  { what, against, where, unit, ours, theirs, compared, as, cold, budget }: Row,
): Cells {
  const format = as === "ratio" ? (value: number) => value.toFixed(2) : round;
  const spread = ({ median, low, high }: Spread) =>
    `**${format(median)}** (${format(low)} to ${format(high)})`;
  return [
    what,
    against,
    where,
    `${round(ours.median)} ${unit}`,
    round(theirs.median),
    spread(compared),
    cold === undefined ? "" : format(cold),
    budget === undefined ? "" : "most" in budget ? `≤ ${budget.most}` : `≥ ${budget.least}`,
  ];
}

/** Puts the tables where a document has marks for them. */
export function fillIn(document: string, tables: Readonly<Record<string, string>>): string {
  return document.replace(
    /(<!-- bench: (\w+) -->\n)[^]*?(\n<!-- end -->)/g,
    (_all, begin: string, name: string, end: string) => begin + tables[name] + end,
  );
}

function table(header: Cells, rows: readonly Cells[]): string {
  return [header, header.map(() => "---"), ...rows].map((cells) => `| ${cells.join(" | ")} |`)
    .join("\n");
}

function round(value: number): string {
  return value.toLocaleString("en-US", { maximumFractionDigits: Math.abs(value) < 10 ? 1 : 0 });
}

function count(value: number): string {
  return value.toLocaleString("en-US");
}

function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(1)} s`;
}

function megabytes(bytes: number): string {
  return `${(bytes / 1e6).toFixed(1)} MB`;
}

function kilobytes(bytes: number): string {
  return `${(bytes / 1000).toFixed(1)} KB`;
}
