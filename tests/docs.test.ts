// What the documents say about the code, where that can be checked.
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { assert, assertEquals, describe, it } from "#testing";
import { tasks } from "../bench/plan.ts";
import type { Results } from "../bench/results.ts";
import { fillIn, tablesOf } from "../bench/tables.ts";
import { SUPPORTED } from "../src/socketio/supported.ts";
import { type Code, PROTOCOL_VERSION, unauthorized } from "../src/protocol.ts";
import { readRules, readScenarios } from "./protocol/document.ts";
import { settings } from "./protocol/settings.ts";

const ROOT = fileURLToPath(new URL("..", import.meta.url));
const read = (path: string): string => readFileSync(ROOT + path, "utf8");

/** The options, as the documentation of their types lists them. */
function optionsIn(source: string, ...types: string[]): string[] {
  const names = types.flatMap((type) => {
    const pattern = new RegExp(`export interface ${type}<.*?\\{\\n(.*?)\\n\\}`, "s");
    const [, body = ""] = pattern.exec(source) ?? [];
    return [...body.matchAll(/^ {2}(\w+)\??[:(]/gm)].map(([, name]) => name!);
  });
  return [...new Set(names)].sort();
}

/** What a table of README lists: the first one after a heading, told by its first words. */
function listedIn(heading: string, columns: string): string[] {
  const [, section = ""] = read("README.md").split(`\n## ${heading}\n`);
  const [table = ""] = new RegExp(`\\| ${columns} .*?\n\n`, "s").exec(section) ?? [];
  return [...table.matchAll(/^\| `(\w+)/gm)].map(([, name]) => name!).sort();
}

describe("SECURITY.md", () => {
  const named = [...read("SECURITY.md").matchAll(/`(tests\/[^`]+)`(?:: "([^"]+)")?/g)];

  it("names tests at all", () => {
    assert(named.length > 30);
  });

  for (const [, file, title] of named) {
    it(`names a test that exists: ${file}${title ? `, "${title}"` : ""}`, () => {
      assert(existsSync(ROOT + file!));
      if (title) assert(read(file!).includes(title), `There is no test "${title}" in ${file}`);
    });
  }
});

describe("README.md", () => {
  it("lists every option, and no other", () => {
    const types = ["VerifyOption", "AuthenticateOption", "CommonOptions"];
    const options = optionsIn(read("src/core/options.ts"), ...types);
    assertEquals(listedIn("Server", "option"), options);
  });

  it("lists every option of the client, and no other", () => {
    const options = optionsIn(read("src/client/session.ts"), "AuthenticateOptions");
    assertEquals(listedIn("Client", "option"), options);
  });

  it("lists every option of jwt, and no other", () => {
    const [, section = ""] = read("README.md").split("\n### JWT\n");
    const [table = ""] = /\| option .*?\n\n/s.exec(section) ?? [];
    const listed = [...table.matchAll(/^\| `(\w+)/gm)].map(([, name]) => name!).sort();
    const [, body = ""] =
      /interface JwtOptions<.*?\{\n(.*?)\n\}/s.exec(read("src/jwt/options.ts")) ?? [];
    const options = [...body.matchAll(/^ {2}(?:readonly )?(\w+)\??[:(]/gm)].map(([, name]) =>
      name!
    );
    assertEquals(listed, options.sort());
  });

  it("lists every state of the client, and no other", () => {
    const [, states = ""] = /type SessionState =(.*?);/s.exec(read("src/client/machine.ts")) ?? [];
    const names = [...states.matchAll(/"(\w+)"/g)].map(([, name]) => name!).sort();
    assertEquals(listedIn("Client", "state"), names);
  });

  it("has the hook that is tested", () => {
    const hook = read("examples/react/use_session.ts");
    assert(read("README.md").includes(`\`\`\`ts\n${hook}\`\`\`\n`));
  });
});

/** Where a link to a heading leads. */
function slugOf(heading: string): string {
  return heading.toLowerCase().replaceAll(/[^\w\- ]/g, "").replaceAll(" ", "-");
}

describe("PROTOCOL.md", () => {
  const protocol = read("PROTOCOL.md");

  it("is of the version that the code has", () => {
    assert(protocol.startsWith(`# The protocol\n\nVersion ${PROTOCOL_VERSION}. `));
  });

  it("has a test of the same name for each scenario, and no other", () => {
    assertEquals(Object.keys(settings), [...readScenarios().keys()]);
    const [, section = ""] = protocol.split("\n## Scenarios\n");
    const [scenarios = ""] = section.split("\n## ");
    assertEquals(scenarios.match(/^###/gm)?.length, readScenarios().size);
  });

  it("numbers the scenarios", () => {
    const numbers = [...readScenarios().keys()].map((heading) => parseInt(heading));
    assertEquals(numbers, numbers.map((_, index) => index + 1));
  });

  it("has twelve rules for clients, and scenarios for each", () => {
    const rules = readRules();
    assertEquals([...rules.keys()], [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]);
    const scenarios = [...readScenarios().keys()];
    for (const [number, links] of rules) {
      const named = [...links].filter(([text, slug]) =>
        scenarios.includes(text) && slug === slugOf(text)
      );
      // A rule may refer to another section as well.
      assert(named.length > 0, `Rule ${number} names no scenario`);
      const others = [...links.keys()].filter((text) => /^\d/.test(text));
      assertEquals(named.map(([text]) => text), others);
    }
  });

  it("has sections behind its links", () => {
    const slugs = [...protocol.matchAll(/^#+ (.*)$/gm)].map(([, heading]) => slugOf(heading!));
    const links = [...protocol.matchAll(/\]\(#([^)]+)\)/g)].map(([, slug]) => slug!);
    assertEquals(links.filter((slug) => !slugs.includes(slug)), []);
  });
});

describe("examples/websocket/README.md", () => {
  const folder = "examples/websocket";
  const document = read(`${folder}/README.md`);
  const sources = [folder, "src/core"].flatMap((path) =>
    readdirSync(ROOT + path).filter((name) => name.endsWith(".ts")).map((name) =>
      read(`${path}/${name}`)
    )
  ).join("\n");

  it("names only what exists", () => {
    const spans = document.replaceAll(/```[^]*?```/g, "").matchAll(/`([^`\n]+)`/g);
    const names = [...spans].flatMap(([, span]) =>
      span!.match(/(?<![\w./-])[a-zA-Z]\w+(?![\w/.])/g) ?? []
    );
    assert(names.length > 30);
    assertEquals(names.filter((name) => !new RegExp(`\\b${name}\\b`).test(sources)), []);
  });

  it("has code as it is in the example", () => {
    const [, code = ""] = /```ts\n([^]*?)```/.exec(document) ?? [];
    const lines = code.split("\n").map((line) => line.trim()).filter(Boolean);
    assertEquals(lines.length, 5);
    assertEquals(lines.filter((line) => !sources.includes(line)), []);
  });

  it("names what a binding has to call", () => {
    const [, steps = ""] = /What a binding does([^]*?)\*\//.exec(read("src/core/interface.ts")) ??
      [];
    const calls = [...steps.matchAll(/connection\.(\w+)/g)].map(([, name]) => name!);
    assert(calls.length > 6);
    assertEquals(calls.filter((name) => !document.includes(name)), []);
  });
});

describe("docs/performance.md", () => {
  const results = JSON.parse(read("docs/performance.json")) as Results;

  it("says what was measured, and nothing else", () => {
    const document = read("docs/performance.md");
    assertEquals(fillIn(document, tablesOf(results)), document);
  });

  it("has a place for every table", () => {
    const places = [...read("docs/performance.md").matchAll(/<!-- bench: (\w+) -->/g)];
    assertEquals(places.map(([, name]) => name).sort(), Object.keys(tablesOf(results)).sort());
  });

  it("measures every row of today's benchmarks", () => {
    const nameOf = (row: { what: string; against: string; where: string }) =>
      `${row.what}, against ${row.against} (${row.where})`;
    assertEquals(results.rows.map(nameOf), tasks.map(nameOf));
  });
});

describe("the documents", () => {
  for (
    const file of ["README.md", "PROTOCOL.md", "SECURITY.md", "CHANGELOG.md", "CONTRIBUTING.md"]
  ) {
    it(`name the same versions of socket.io: ${file}`, () => {
      const named = [...read(file).matchAll(/\bsocket\.io (4\.\d[\w. ]*? to 4\.\d+|4\.\d+)/gi)];
      assertEquals(named.map(([, versions]) => versions).filter((it) => it !== SUPPORTED), []);
    });
  }
});

describe("the tables of codes", () => {
  const codes = [...read("src/protocol.ts").matchAll(/^ {2}(\w+): \["/gm)].map(([, c]) => c!);

  for (const file of ["README.md", "PROTOCOL.md"]) {
    it(`of ${file} has all of them`, () => {
      const listed = [...read(file).matchAll(/^\| `(\w+)` \|/gm)].map(([, code]) => code!);
      assertEquals(codes.filter((code) => !listed.includes(code)), []);
    });
  }

  it("of PROTOCOL.md says whether to reconnect", () => {
    for (const code of codes) {
      const [row = ""] = new RegExp(`^\\| \`${code}\` .*`, "m").exec(read("PROTOCOL.md")) ?? [];
      const told = row.split(" | ").at(2) ?? "";
      assert(told.startsWith(`${unauthorized(code as Code).reconnect}`), row);
    }
  });

  it("of README.md has the texts", () => {
    const [, table = ""] = read("README.md").split("## What the client is told");
    for (const code of codes) {
      const { message } = unauthorized(code as Code);
      const row = new RegExp(`^\\| \`${code}\` .*`, "m").exec(table)?.[0] ?? "";
      const isTold = !["authentication_error", "attempt_in_progress"].includes(code);
      if (isTold) assert(row.includes(message), `README.md does not say "${message}"`);
    }
  });
});

/** Words that make a text hard to read: a named subject, or a plain word, says the same. */
const WORDS = ["nobody", "whoever", "as ever", "anew", "besides"];

/** Folders whose words are not checked yet. */
const UNCHECKED = ["src/client/"];

describe("the sources", () => {
  const sources = readdirSync(`${ROOT}src`, { recursive: true, encoding: "utf8" })
    .map((name) => `src/${name.replaceAll("\\", "/")}`)
    .filter((path) => path.endsWith(".ts") && !UNCHECKED.some((it) => path.startsWith(it)));

  function linesWith(pattern: RegExp): string[] {
    return sources.flatMap((path) => {
      const source = read(path);
      return [...source.matchAll(pattern)].map(({ 0: found, index }) =>
        `${path}:${source.slice(0, index).split("\n").length}: ${found}`
      );
    });
  }

  for (const word of WORDS) {
    it(`do without "${word}"`, () => {
      assertEquals(linesWith(new RegExp(`\\b${word.replace(" ", "\\s[\\s/*]*")}\\b`, "gi")), []);
    });
  }

  it("have no comment that only says that something is the same", () => {
    assertEquals(linesWith(/\bThe same\./g), []);
  });

  it("name the subject of each doc comment", () => {
    const pronoun =
      /\/\*\*[\s*]*(?:It|They|Those|Whoever|Whose|What|The same|Whether (?:it|they))\b/g;
    assertEquals(linesWith(pronoun), []);
  });
});
