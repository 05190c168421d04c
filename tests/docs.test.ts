// What the documents say about the code, where that can be checked.
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path/posix";
import { fileURLToPath } from "node:url";
import { assert, assertEquals, describe, it } from "#testing";
import { tasks } from "../bench/plan.ts";
import type { Results } from "../bench/results.ts";
import { fillIn, tablesOf } from "../bench/tables.ts";
import { SUPPORTED } from "../src/socketio/supported.ts";
import { type Code, PROTOCOL_VERSION, unauthorized } from "../src/protocol.ts";
import { readRules, readScenarios, SCENARIOS } from "./protocol/document.ts";
import { settings } from "./protocol/settings.ts";

const ROOT = fileURLToPath(new URL("..", import.meta.url));
const read = (path: string): string => readFileSync(ROOT + path, "utf8");

/** All documents for those who use the package, and CONTRIBUTING.md. */
const documents = [
  ...["README.md", "PROTOCOL.md", "SECURITY.md", "CHANGELOG.md", "CONTRIBUTING.md"],
  ...readdirSync(`${ROOT}docs`, { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".md"))
    .map((name) => `docs/${name.replaceAll("\\", "/")}`)
    .sort(),
];

/** The options, as the documentation of their types lists them. */
function optionsIn(source: string, ...types: string[]): string[] {
  const names = types.flatMap((type) => {
    const pattern = new RegExp(`export interface ${type}(?:<[^{]*)? \\{\\n(.*?)\\n\\}`, "s");
    const [, body = ""] = pattern.exec(source) ?? [];
    return [...body.matchAll(/^ {2}(\w+)\??[:(]/gm)].map(([, name]) => name!);
  });
  return [...new Set(names)].sort();
}

/** The part of a document from a heading to the next one of the same level. */
function sectionOf(document: string, heading: string): string {
  const [level] = heading.split(" ");
  const [, rest] = `\n${read(document)}`.split(`\n${heading}\n`);
  assert(rest !== undefined, `${document} has no "${heading}"`);
  return rest.split(`\n${level} `)[0]! + "\n";
}

/** What a table lists: the first one in a section, told by its first words. */
function listedIn(document: string, heading: string, columns: string): string[] {
  const [table = ""] = new RegExp(`\\| ${columns} .*?\n\n`, "s").exec(
    sectionOf(document, heading),
  ) ?? [];
  const rows = table.split("\n").slice(2).join("\n");
  return [...rows.matchAll(/^\| `(\w+)/gm)].map(([, name]) => name!).sort();
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

const OPTIONS = "docs/reference/options.md";

describe(OPTIONS, () => {
  const [, ...entries] = sectionOf(OPTIONS, "## Options of `socketioAuth`").split("\n### ");
  const described = new Map(entries.map((entry) => {
    const [, name = ""] = /^`(\w+)`\n/.exec(entry) ?? [];
    return [name, entry];
  }));

  it("describes every option, and no other", () => {
    const types = ["VerifyOption", "AuthenticateOption", "CommonOptions"];
    const options = optionsIn(read("src/core/options.ts"), ...types);
    assertEquals([...described.keys()].sort(), options);
  });

  for (const [name, entry] of described) {
    it(`has an example of ${name}, and its default`, () => {
      const [, example = ""] = /^```ts\n(.*?)^```$/ms.exec(entry) ?? [];
      assert(new RegExp(`\\b${name}\\b`).test(example));
      const source = read("src/core/options.ts").split("interface CommonOptions")[1]!;
      const doc = new RegExp(`/\\*\\*((?:(?!\\*/)[^])*)\\*/\n  ${name}\\?[:(]`).exec(source)?.[1];
      const value = /@default (?!`)(.*)/.exec(doc ?? "")?.[1] ?? "";
      // What is a value there, and not a description of one.
      if (/^(\d+|"\w+"|false|\{.*\})$/.test(value)) {
        assert(entry.includes(`Default: \`${value}\`.`), `${name}: ${value}`);
      }
    });
  }

  it("lists every option of the client, with its default, and no other", () => {
    const source = read("src/client/session.ts");
    const heading = "## Options of the client";
    assertEquals(
      listedIn(OPTIONS, heading, "option"),
      optionsIn(source, "AuthenticateOptions"),
    );
    const defaults = source.matchAll(/@default (.*)\n {3}\*\/\n {2}(\w+)\?:/g);
    for (const [, value, name] of defaults) {
      const row = new RegExp(`^\\| \`${name}\` .*`, "m").exec(sectionOf(OPTIONS, heading))?.[0] ??
        "";
      assert(row.includes(`| \`${value!.replace("_", "")}\` |`), row);
    }
  });

  it("lists every option of jwt, and no other", () => {
    const [, body = ""] =
      /interface JwtOptions<.*?\{\n(.*?)\n\}/s.exec(read("src/jwt/options.ts")) ?? [];
    const options = [...body.matchAll(/^ {2}(?:readonly )?(\w+)\??[:(]/gm)].map(([, name]) =>
      name!
    );
    assertEquals(listedIn(OPTIONS, "## Options of `jwt`", "option"), options.sort());
  });
});

describe("docs/reference/events.md", () => {
  it("lists every event, and no other", () => {
    const types = [...read("src/core/events.ts").matchAll(/readonly type: (.*);/g)]
      .flatMap(([, union]) => union!.match(/\w+/g) ?? []);
    const listed = listedIn("docs/reference/events.md", "# Events of `observe`", "`type`");
    assertEquals(listed, [...new Set(types)].sort());
  });
});

describe("docs/reference/functions.md", () => {
  const document = read("docs/reference/functions.md");

  it("describes every member of what socketioAuth returns", () => {
    const members = optionsIn(read("src/core/auth.ts"), "Auth");
    const described = [...document.matchAll(/^### `auth\.(\w+)\(/gm)].map(([, name]) => name!);
    assertEquals(described.sort(), members);
  });

  it("lists every option of them, and no other", () => {
    const revoke = optionsIn(read("src/core/auth.ts"), "RevokeOptions");
    const heading = "### `auth.revoke(target, options?)`";
    assertEquals(listedIn("docs/reference/functions.md", heading, "option"), revoke);
    const error = optionsIn(read("src/core/errors.ts"), "AuthErrorOptions");
    const other = "## `new AuthError(message, options?)`";
    assertEquals(listedIn("docs/reference/functions.md", other, "option"), error);
  });

  it("names every counter", () => {
    for (const counter of optionsIn(read("src/core/journal.ts"), "Stats")) {
      assert(
        sectionOf("docs/reference/functions.md", "### `auth.stats()`").includes(`\`${counter}\``),
      );
    }
  });
});

describe("docs/guide/client.md", () => {
  const CLIENT = "docs/guide/client.md";

  it("lists every state of the client, and no other", () => {
    const [, states = ""] = /type SessionState =(.*?);/s.exec(read("src/client/machine.ts")) ?? [];
    const names = [...states.matchAll(/"(\w+)"/g)].map(([, name]) => name!).sort();
    assertEquals(listedIn(CLIENT, "## The session object", "state"), names);
  });

  it("lists every member of a session", () => {
    const members = optionsIn(
      read("src/client/session.ts").replaceAll("readonly ", ""),
      "ClientSession",
    );
    const section = sectionOf(CLIENT, "## The session object");
    assertEquals(members.filter((name) => !new RegExp(`\`${name}\\b`).test(section)), []);
  });

  it("has the hook that is tested", () => {
    const hook = read("examples/react/use_session.ts");
    assert(read(CLIENT).includes(`\`\`\`ts\n${hook}\`\`\`\n`));
  });
});

describe("README.md", () => {
  it("can be read in one sitting", () => {
    const readme = read("README.md");
    assert(readme.split("\n").length <= 261);
    assert(readme.split(/\s+/).length <= 2_200);
  });

  it("lists options that there are, with their defaults", () => {
    const names = listedIn("README.md", "## Eight options", "option");
    assertEquals(names.length, 8);
    const rows = sectionOf("README.md", "## Eight options");
    for (const name of names) {
      const [, value = ""] = new RegExp(`^\\| \`${name}\` \\| (.*?) \\|`, "m").exec(rows) ?? [];
      const entry = sectionOf(OPTIONS, `### \`${name}\``);
      if (value.startsWith("`")) assert(entry.includes(`Default: ${value}`), `${name}: ${value}`);
    }
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
    assertEquals(read(SCENARIOS).match(/^##/gm)?.length, readScenarios().size);
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

  it("has 500 lines at most", () => {
    assert(protocol.split("\n").length <= 501);
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

  it("has pictures that say what they are, and which direction is better", () => {
    for (const name of ["costs", "growth"]) {
      const picture = read(`docs/${name}.svg`);
      assert(/<title>[^<]+<\/title>/.test(picture));
      assert(picture.includes("less is better"));
    }
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
  // That one says with which version it was measured.
  for (const file of documents.filter((file) => file !== "docs/performance.md")) {
    it(`name the same versions of socket.io: ${file}`, () => {
      const named = [...read(file).matchAll(/\bsocket\.io (4\.\d[\w. ]*? to 4\.\d+|4\.\d+)/gi)];
      assertEquals(named.map(([, versions]) => versions).filter((it) => it !== SUPPORTED), []);
    });
  }
});

describe("the tables of codes", () => {
  const CODES = "docs/reference/codes.md";
  const codes = [...read("src/protocol.ts").matchAll(/^ {2}(\w+): \["/gm)].map(([, c]) => c!);
  const codesOf = (file: string, source = "") =>
    [...read(file).matchAll(new RegExp(`^\\| \`(\\w+)\` \\| ${source}`, "gm"))]
      .map(([, code]) => code!);

  it("of PROTOCOL.md has all of them", () => {
    assertEquals(codes.filter((code) => !codesOf("PROTOCOL.md").includes(code)), []);
  });

  it("of the reference has those of the server, and no other", () => {
    assertEquals(codesOf(CODES, "server").sort(), codes.sort());
  });

  it("of the reference has those of the client, and no other", () => {
    const [, union = ""] = /type ClientCode =(.*?);/s.exec(read("src/client/errors.ts")) ?? [];
    const own = [...union.matchAll(/"(\w+)"/g)].map(([, code]) => code!);
    assertEquals(codesOf(CODES, "client").sort(), own.sort());
  });

  it("of README.md has some of them", () => {
    const [, table = ""] = read("README.md").split("## What a client is told");
    const listed = [...table.matchAll(/^\| `(\w+)` \|/gm)].map(([, code]) => code!);
    assertEquals(listed.length, 5);
    assertEquals(listed.filter((code) => !codes.includes(code)), []);
  });

  it("of PROTOCOL.md says whether to reconnect", () => {
    for (const code of codes) {
      const [row = ""] = new RegExp(`^\\| \`${code}\` .*`, "m").exec(read("PROTOCOL.md")) ?? [];
      const told = row.split(" | ").at(2) ?? "";
      assert(told.startsWith(`${unauthorized(code as Code).reconnect}`), row);
    }
  });

  it("of the reference has the texts, and whether to reconnect", () => {
    for (const code of codes) {
      const { message, reconnect } = unauthorized(code as Code);
      const row = new RegExp(`^\\| \`${code}\` .*`, "m").exec(read(CODES))?.[0] ?? "";
      const isOwn = code === "authentication_error";
      if (!isOwn) assert(row.includes(message), `${CODES} does not say "${message}"`);
      assert(row.split(" | ").at(4)?.startsWith(reconnect ? "yes" : "no"), row);
    }
  });
});

describe("links in the documents", () => {
  const slugsOf = (path: string) =>
    [...read(path).replaceAll(/^```.*?^```$/gms, "").matchAll(/^#+ (.*)$/gm)]
      .map(([, heading]) => slugOf(heading!));

  for (const file of documents) {
    it(`lead somewhere: ${file}`, () => {
      const text = read(file).replaceAll(/^```.*?^```$/gms, "");
      const links = [...text.matchAll(/\]\(([^)\s]+)\)|\bsrc(?:set)?="([^"]+)"/g)]
        .map(([, target, picture]) => target ?? picture!)
        .filter((target) => !/^https?:/.test(target));
      const dead = links.filter((target) => {
        const [path, slug] = target.split("#") as [string, string?];
        const to = path === "" ? file : join(dirname(file), path);
        if (!existsSync(ROOT + to)) return true;
        return slug !== undefined && !slugsOf(to).includes(slug);
      });
      assertEquals(dead, []);
      if (file === "CONTRIBUTING.md") return;
      const missing = links.map((target) => target.split("#")[0]!).filter((path) => path !== "")
        .map((path) => join(dirname(file), path))
        .filter((path) => !isPublished(path));
      assertEquals(missing, [], "The packages of npm and JSR lack what is linked");
    });
  }

  it("are published with both packages", () => {
    const files = documents.filter((file) => file !== "CONTRIBUTING.md");
    assertEquals(files.filter((file) => !isPublished(file)), []);
  });
});

/** Whether both packages have a file. */
function isPublished(path: string): boolean {
  const npm: string[] = [...JSON.parse(read("package.json")).files, "README.md", "LICENSE"];
  const jsr: string[] = JSON.parse(read("jsr.json")).publish.include;
  return [npm, jsr].every((patterns) =>
    patterns.some((pattern) =>
      new RegExp(
        `^${
          pattern.replaceAll(".", "\\.").replace("**/", "(?:.+/)?").replace(/(?<!\.)\*/, "[^/]*")
        }$`,
      ).test(path)
    )
  );
}

/** Words that make a text hard to read: a named subject, or a plain word, says the same. */
const WORDS = ["nobody", "whoever", "as ever", "anew", "besides"];

describe("the words of the documents", () => {
  // Of SECURITY.md and CHANGELOG.md those that are not titles of tests.
  for (const file of documents) {
    const text = read(file).replaceAll(/^```.*?^```$/gms, "").replaceAll(/"[^"\n]*"/g, "");
    for (const word of WORDS) {
      it(`do without "${word}": ${file}`, () => {
        const found = [...text.matchAll(new RegExp(`.*\\b${word.replace(" ", "\\s")}\\b.*`, "gi"))];
        assertEquals(found.map(([line]) => line), []);
      });
    }
  }
});

describe("the sources", () => {
  const sources = readdirSync(`${ROOT}src`, { recursive: true, encoding: "utf8" })
    .map((name) => `src/${name.replaceAll("\\", "/")}`)
    .filter((path) => path.endsWith(".ts"));

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
