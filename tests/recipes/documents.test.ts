// Each recipe is a page whose code is a file that runs.
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { assert, assertEquals, describe, it } from "#testing";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const read = (path: string): string => readFileSync(ROOT + path, "utf8");

/** Files that start recipes, and are none. */
const MACHINERY = ["start.ts", "page.ts"];

const files = readdirSync(`${ROOT}examples/recipes`)
  .filter((file) => file.endsWith(".ts") && !MACHINERY.includes(file));
const frameworks = readdirSync(`${ROOT}examples/frameworks`);
const pages = readdirSync(`${ROOT}docs/recipes`);

describe("the recipes", () => {
  for (const file of files) {
    it(`show ${file} as it is`, () => {
      const code = `\`\`\`ts\n${read(`examples/recipes/${file}`)}\`\`\`\n`;
      const shown = pages.filter((page) => read(`docs/recipes/${page}`).includes(code));
      assertEquals(shown.length, 1, `No page in docs/recipes shows ${file} as it is`);
    });

    it(`are tested: ${file}`, () => {
      const name = file.split(".")[0]!;
      assert(existsSync(`${ROOT}tests/recipes/${name}.test.ts`));
    });
  }

  for (const file of frameworks) {
    it(`show ${file}, which is tested, as it is`, () => {
      const code = `\`\`\`ts\n${read(`examples/frameworks/${file}`)}\`\`\`\n`;
      assert(read("docs/recipes/frameworks.md").includes(code));
      assert(read("tests/recipes/frameworks.test.ts").includes(`/frameworks/${file}`));
    });
  }

  for (const file of files.filter((file) => !file.endsWith(".page.ts"))) {
    it(`have what ${file} imports installed`, () => {
      const code = read(`examples/recipes/${file}`);
      const imported = [
        ...code.matchAll(/^import (?!type ).* from "((?:@[^/"]+\/)?[^/":]+)[^":]*"/gm),
      ];
      const [, installed = ""] = /^npm install (.*)/m
        .exec(read(`docs/recipes/${file.replace(".ts", ".md")}`)) ?? [];
      const names = new Set(imported.map(([, name]) => name!));
      // The peer that this entry point needs.
      if (code.includes("socketio-auth/jwt")) names.add("jose");
      assertEquals([...names].sort(), installed.split(" ").sort());
    });
  }

  it("are all listed", () => {
    const listed = [...read("docs/recipes/README.md").matchAll(/\]\(([\w-]+\.md)\)/g)];
    const names = new Set(listed.map(([, page]) => page!));
    assertEquals([...names].sort(), pages.filter((page) => page !== "README.md").sort());
  });

  for (const page of pages) {
    it(`link to what is there: ${page}`, () => {
      const links = [...read(`docs/recipes/${page}`).matchAll(/\]\((?!https?:)([^)#]+)[^)]*\)/g)];
      const broken = links.map(([, path]) => path!)
        .filter((path) => !existsSync(new URL(path, `file://${ROOT}docs/recipes/`)));
      assertEquals(broken, []);
    });
  }

  it("do without words that make a text hard to read", () => {
    const words = /\b(?:[Nn]obody|[Ww]hoever|[Aa]s ever|anew|[Bb]esides)\b|\bThe same\./g;
    const found = pages.flatMap((page) =>
      [...read(`docs/recipes/${page}`).matchAll(words)].map(([word]) => `${page}: ${word}`)
    );
    assertEquals(found, []);
  });
});
