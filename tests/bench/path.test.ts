// What a reader has to know of to follow one sign-in.
import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { assert, describe, it } from "#testing";
import type { Path } from "../../bench/rows/path.ts";

const PATH_URL = new URL("../../bench/rows/path.ts", import.meta.url).href;

/** Runs in Node, because V8 counts the functions. */
const PROGRAM = `
import { followSignIn } from ${JSON.stringify(PATH_URL)};
console.log(JSON.stringify(await followSignIn()));
`;

describe("a sign-in without options", () => {
  it("runs 60 functions at most, in 16 files", async () => {
    const args = ["--input-type=module", "--eval", PROGRAM];
    const { stdout } = await promisify(execFile)("node", args);
    const { functions, files, names } = JSON.parse(stdout) as Path;
    assert(functions > 0 && functions <= 60 && files <= 16, JSON.stringify(names, null, 2));
  });
});
