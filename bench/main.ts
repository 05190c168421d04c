/**
 * What `npm run bench` runs: everything that `docs/performance.md` says, measured again.
 *
 * - `--quick`: a little of everything, to see that it runs; it judges no times and writes nothing;
 * - `--only TEXT`: the rows whose name has this in it, printed and not written;
 * - `--draw`: nothing; writes tables and pictures anew from what was measured before;
 * - `REDIS_URL` in the environment: where a Redis is; otherwise it starts a `redis-server`.
 */
import { readFile, writeFile } from "node:fs/promises";
import { env } from "node:process";
import { parseArgs } from "node:util";
import { bundle } from "./bundle.ts";
import { drawGrowth, drawRatios } from "./charts.ts";
import { describeMachine } from "./machine.ts";
import { full, loadsOf, quick, type Scale, tasks } from "./plan.ts";
import { startRedis } from "../tests/kit/redis.ts";
import type { Results, Row, Sizes } from "./results.ts";
import { floodWithAttempts, floodWithSilence } from "./rows/floods.ts";
import { measureUnder } from "./rows/growth.ts";
import { followSignIn } from "./rows/path.ts";
import { type Revoked, revokeEverywhere } from "./rows/revoke.ts";
import { measureStartup } from "./rows/startup.ts";
import { costsTable, fillIn, tablesOf } from "./tables.ts";

const { values: given } = parseArgs({
  options: {
    quick: { type: "boolean", default: false },
    only: { type: "string" },
    draw: { type: "boolean", default: false },
  },
});
const scale: Scale = given.quick ? quick : full;

async function timed<T>(name: string, work: () => Promise<T>): Promise<T> {
  const start = performance.now();
  const result = await work();
  console.log(`${((performance.now() - start) / 1000).toFixed(1).padStart(6)} s  ${name}`);
  return result;
}

async function measureRows(): Promise<Row[]> {
  const rows: Row[] = [];
  for (const { what, against, where, measure } of tasks) {
    const name = `${what}, against ${against} (${where})`;
    if (given.only !== undefined && !name.includes(given.only)) continue;
    rows.push({ what, against, where, ...await timed(name, () => measure(scale)) });
  }
  return rows;
}

async function measureSizes(): Promise<Sizes[]> {
  const { minified, gzip } = await bundle("mod.ts");
  const client = await bundle("src/client/client.ts");
  return [
    { name: "server", minified, gzip },
    { name: "client", minified: client.minified, gzip: client.gzip, budget: 3500 },
  ];
}

async function measureRevoke(): Promise<Revoked> {
  const measure = (url: string) =>
    revokeEverywhere(url, scale.revoked, given.quick ? quick.rounds : { warmUp: 2, counted: 5 });
  if (env.REDIS_URL) return await measure(env.REDIS_URL);
  await using redis = await startRedis();
  return await measure(redis.url);
}

async function measureAll(): Promise<Results> {
  const machine = describeMachine();
  const rows = await measureRows();
  const growth = [];
  const rounds = { warmUp: scale.rounds.warmUp, counted: Math.ceil(scale.rounds.counted / 2) };
  for (const load of loadsOf(scale, machine.openFiles)) {
    growth.push(await timed(load.name, () => measureUnder(load, scale, rounds)));
  }
  const silence = await timed("silent clients", () => floodWithSilence(scale.silent));
  const attempts = await timed("attempts", () => floodWithAttempts(scale.attempts));
  const revoked = await timed("revoke", measureRevoke);
  const sizes = await measureSizes();
  const path = await timed("path", followSignIn);
  const startup = await timed("startup", () => measureStartup(scale.rounds.counted));
  const date = new Date().toISOString().slice(0, 10);
  return { date, machine, rows, growth, silence, attempts, revoked, sizes, path, startup };
}

if (given.only !== undefined) {
  console.log(costsTable(await measureRows()));
} else if (given.draw) {
  const results: Results = JSON.parse(await readFile(at("performance.json"), "utf8"));
  await write(results, tablesOf(results));
} else {
  const results = await measureAll();
  const tables = tablesOf(results);
  for (const table of Object.values(tables)) console.log(`\n${table}`);
  if (!given.quick) await write(results, tables);
}

function at(path: string): URL {
  return new URL(`../docs/${path}`, import.meta.url);
}

async function write(results: Results, tables: ReturnType<typeof tablesOf>): Promise<void> {
  await writeFile(at("performance.json"), JSON.stringify(results, null, 2) + "\n");
  await writeFile(at("costs.svg"), drawRatios(results.rows));
  await writeFile(at("growth.svg"), drawGrowth(results.growth));
  const document = await readFile(at("performance.md"), "utf8");
  await writeFile(at("performance.md"), fillIn(document, tables));
}
