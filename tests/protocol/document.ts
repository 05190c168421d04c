import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { type Packet, parsePacket } from "./packets.ts";

const read = (path: string) =>
  readFileSync(fileURLToPath(new URL(`../../${path}`, import.meta.url)), "utf8");
const PROTOCOL = read("PROTOCOL.md");
/** The scenarios, and clients, are in documents of their own. */
export const SCENARIOS = "docs/protocol/scenarios.md";
export const CLIENTS = "docs/protocol/clients.md";

/** One line of a scenario: a packet of one side, the end of the transport, or something else. */
export type Step =
  | { readonly from: "C" | "S"; readonly packet: Packet }
  | { readonly closed: true }
  | { readonly happens: string };

const SCENARIO = /^## (\d+\. .+)\n([\s\S]*?)(?=^##|(?![\s\S]))/gm;
const BLOCK = /^```text\n([\s\S]*?)^```$/m;
const CLOSED = "closes the transport";

/** The scenarios of the protocol by their headings, in order. */
export function readScenarios(): Map<string, Step[]> {
  const sections = read(SCENARIOS).matchAll(SCENARIO);
  return new Map(Array.from(sections, ([, heading = "", body = ""]) => {
    const [, block = ""] = BLOCK.exec(body) ?? [];
    return [heading, readSteps(heading, block)];
  }));
}

function readSteps(heading: string, block: string): Step[] {
  let count = 0;
  return block.trimEnd().split("\n").map((line) => {
    const [, happens] = /^ +\((.+)\)$/.exec(line) ?? [];
    if (happens) return { happens };
    const [, number, from, text] = /^ *(\d+)\. ([CS]) {2}(\S.*)$/.exec(line) ?? [];
    if (Number(number) !== ++count) throw new Error(`"${heading}" has a strange line: ${line}`);
    if (text === CLOSED) return { closed: true };
    return { from: from as "C" | "S", packet: parsePacket(text!) };
  });
}

/** The client in Python that stands beside PROTOCOL.md, and an example of its use. */
export function readPythonClient(): { client: string; example: string } {
  const [client, example] = Array.from(
    read(CLIENTS).matchAll(/^```python\n([\s\S]*?)^```$/gm),
    ([, code]) => code!,
  );
  if (!client || !example) throw new Error(`${CLIENTS} lacks a client in Python, or its example`);
  return { client, example };
}

/** The rules for a client by their numbers: the links that each has, by what they say. */
export function readRules(): Map<number, Map<string, string>> {
  const [, section = ""] = PROTOCOL.split("\n## The rules for a client\n");
  const [, ...rules] = section.split("\n## ")[0]!.split(/^(?=\d+\. )/m);
  return new Map(rules.map((rule) => {
    const links = rule.replaceAll(/\s+/g, " ").matchAll(/\[([^\]]+)\]\([^)#]*#([^)]+)\)/g);
    return [parseInt(rule), new Map(Array.from(links, ([, text, slug]) => [text!, slug!]))];
  }));
}
