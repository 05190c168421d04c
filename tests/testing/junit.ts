/** How many tests ended how. */
export interface Counts {
  passed: number;
  failed: number;
  skipped: number;
}

/** A test in JUnit XML. Node leaves `>` as it is within attributes. */
const TESTCASE = /<testcase((?:\s+[\w:-]+="[^"]*")*)\s*(?:\/>|>([\s\S]*?)<\/testcase>)/g;

interface TestCase {
  readonly name: string;
  readonly file: string;
  readonly seconds: number;
  /** What is reported besides: a failure, for example. */
  readonly body: string;
}

/** Reads the tests in a report of Node, Deno or Bun. */
function testCasesIn(xml: string): TestCase[] {
  return Array.from(xml.matchAll(TESTCASE), ([, attributes = "", body = ""]) => {
    const read = (name: string) => new RegExp(`\\s${name}="([^"]*)"`).exec(attributes)?.[1];
    const file = read("file") ?? read("classname") ?? "";
    return { name: read("name") ?? "", file, seconds: Number(read("time")), body };
  });
}

/** Counts the tests in a report. */
export function countTests(xml: string): Counts {
  const tests = testCasesIn(xml);
  // Deno also reports each `describe` as a test; what is in it has its name in front.
  const groups = new Set(tests.flatMap(({ name }) => pathsAbove(name)));
  const counts: Counts = { passed: 0, failed: 0, skipped: 0 };
  for (const { name, body } of tests) {
    if (groups.has(name)) continue;
    if (/<(failure|error)\b/.test(body)) counts.failed++;
    else if (/<skipped\b/.test(body)) counts.skipped++;
    else counts.passed++;
  }
  return counts;
}

/** Adds the seconds up that the tests of each file took. */
export function secondsByFile(xml: string): Map<string, number> {
  const sums = new Map<string, number>();
  for (const { file, seconds } of testCasesIn(xml)) {
    // Where Deno does not say the file of a test, it says that of its `describe`.
    const [path] = /tests\/.+\.ts$/.exec(file) ?? [];
    if (path) sums.set(path, (sums.get(path) ?? 0) + seconds);
  }
  return sums;
}

function pathsAbove(name: string): string[] {
  const parts = name.split(" &gt; ");
  return parts.slice(1).map((_, index) => parts.slice(0, index + 1).join(" &gt; "));
}
