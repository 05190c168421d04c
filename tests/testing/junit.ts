/** How many tests ended how. */
export interface Counts {
  passed: number;
  failed: number;
  skipped: number;
}

/** A test in JUnit XML. Node leaves `>` as it is within attributes. */
const TESTCASE = /<testcase((?:\s+[\w:-]+="[^"]*")*)\s*(?:\/>|>([\s\S]*?)<\/testcase>)/g;

/** Counts the tests in a report of Node, Deno or Bun. */
export function countTests(xml: string): Counts {
  const tests = Array.from(xml.matchAll(TESTCASE), ([, attributes = "", body = ""]) => ({
    name: /\sname="([^"]*)"/.exec(attributes)?.[1] ?? "",
    body,
  }));
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

function pathsAbove(name: string): string[] {
  const parts = name.split(" &gt; ");
  return parts.slice(1).map((_, index) => parts.slice(0, index + 1).join(" &gt; "));
}
