// Compiles every code block of the documentation that is marked as TypeScript: those of the
// documents, and those in the doc comments of the sources. What blocks may use without
// declaring it is in snippets/ambient.ts. Those in JavaScript run: see tools/quick-start.ts.
import { assert, assertEquals, assertMatch, describe, it } from "#testing";
import { blocksIn, documentation } from "./snippets/blocks.ts";
import { compile } from "./snippets/compile.ts";

const markdowns = documentation();
const all = [...markdowns].flatMap(([document, markdown]) => blocksIn(document, markdown));
const blocks = all.filter(({ language }) => /^tsx?$/.test(language));

/** Blocks that nobody should get away with. (Wrong syntax would hide all other mistakes.) */
const MISTAKES: [mistake: string, complaint: RegExp, code: string][] = [
  ["a wrong option", /TS2322/, "socketioAuth(io, { verify, timeout: true });"],
  ["an unknown option", /'timeOut' does not/, "socketioAuth(io, { verify, timeOut: 1 });"],
  [
    "two verifiers",
    /TS2345.*\n.*.authenticate. are incompatible/,
    "socketioAuth(io, { verify, authenticate() {} });",
  ],
  ["no verifier", /TS2345/, "socketioAuth(io, { timeout: 1 });"],
  ["a name from nowhere", /TS2304.*'nobody'/, "socketioAuth(nobody, { verify });"],
  ["an import of nothing", /TS2307/, 'export * from "@socketio-auth/socketio-auth/nowhere";'],
  ["a parameter that could be anything", /TS7006/, "export const same = (value) => value;"],
  ["a mistake in the third line", /^[^:]+:9: /, 'import "socket.io";\n\nconst text: string = 1;'],
];

const mistakes = MISTAKES.map(([document, , code]) => ({
  document,
  line: 7,
  language: "ts",
  code,
}));
const messages = [...compile(blocks), ...compile(mistakes)];
const messagesOn = (document: string) => messages.filter((one) => one.startsWith(`${document}:`));

describe("code blocks", () => {
  it("are found", () => {
    const inDocument = (name: string) => blocks.filter(({ document }) => document === name).length;
    const inSources = blocks.filter(({ document }) => document.endsWith(".ts")).length;
    const inGuides = blocks.filter(({ document }) => document.startsWith("docs/")).length;
    assert(inDocument("README.md") >= 4);
    assert(inGuides >= 60);
    assert(inDocument("PROTOCOL.md") >= 2);
    assert(inSources >= 3);
  });

  it("all say what they are in, so that none escapes", () => {
    const known = ["ts", "tsx", "diff", "html", "js", "json", "mermaid", "python", "sh", "text"];
    assertEquals(all.filter(({ language }) => !known.includes(language)), []);
    for (const [document, markdown] of markdowns) {
      const fences = markdown.match(/^.*```/gm) ?? [];
      const found = blocksIn(document, markdown);
      assertEquals(fences.length, 2 * found.length, `A fence in ${document} was not understood`);
    }
  });

  it("are what examples consist of", () => {
    for (const [document, markdown] of markdowns) {
      const bare = /^@example\b.*\n(?!```)/m.test(markdown);
      assert(!bare, `An @example in ${document} is no code block`);
    }
  });

  for (const document of new Set(blocks.map(({ document }) => document))) {
    it(`of ${document} compile`, () => {
      const complaints = messagesOn(document);
      assert(complaints.length === 0, complaints.join("\n"));
    });
  }

  for (const [mistake, complaint] of MISTAKES) {
    it(`do not compile with ${mistake}`, () => {
      assertMatch(messagesOn(mistake).join("\n"), complaint);
    });
  }

  it("are all that the compiler complains of", () => {
    const places = [...blocks, ...mistakes].map(({ document }) => `${document}:`);
    // What is wrong in the sources themselves, `tsc -p .` tells.
    const others = messages.filter((one) => !/^(mod\.ts|src|tests)\b/.test(one))
      .filter((one) => !places.some((place) => one.startsWith(place)));
    assert(others.length === 0, others.join("\n"));
  });
});
