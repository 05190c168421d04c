// The mutation check itself takes too long to run each time; that it can be run does not.
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { assert, assertEquals, describe, it } from "#testing";
import { mutants } from "../tools/mutants.ts";

const ROOT = fileURLToPath(new URL("..", import.meta.url));

describe("the mutants of tools/mutants.ts", () => {
  it("each stand in the code exactly once", () => {
    const stale = mutants.filter(({ file, from }) => {
      return readFileSync(ROOT + file, "utf8").split(from).length !== 2;
    });
    assertEquals(stale.map(({ file, name }) => `${file}: ${name}`), []);
  });

  it("change something, and have names of their own", () => {
    assert(mutants.every(({ from, to }) => from !== to));
    const names = mutants.map(({ file, name }) => `${file}: ${name}`);
    assertEquals(names.filter((name, i) => names.indexOf(name) !== i), []);
  });
});
