// What the documents say about the code, where that can be checked.
import { existsSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { assert, assertEquals, describe, it } from "#testing";
import { SUPPORTED } from "../src/socketio/supported.ts";
import { type Code, unauthorized } from "../src/protocol.ts";

const ROOT = fileURLToPath(new URL("..", import.meta.url));
const read = (path: string): string => readFileSync(ROOT + path, "utf8");

/** The options, as their documentation lists them. */
function optionsIn(source: string): string[] {
  const [, body = ""] = /export interface Options<.*?\{\n(.*)\n\}/s.exec(source) ?? [];
  return [...body.matchAll(/^ {2}(\w+)\??[:(]/gm)].map(([, name]) => name!).sort();
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
    const [table = ""] = /\| option \| default .*?\n\n/s.exec(read("README.md")) ?? [];
    const listed = [...table.matchAll(/^\| `(\w+)/gm)].map(([, name]) => name!).sort();
    assertEquals(listed, optionsIn(read("src/core/options.ts")));
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
