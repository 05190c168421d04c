import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const read = (path: string): string => readFileSync(ROOT + path, "utf8");

/** A code block of the documentation. */
export interface Block {
  /** The path of what it is in. */
  readonly document: string;
  /** Where its first line of code is in there, counted from 1. */
  readonly line: number;
  /** How it is marked: `ts`, for example. */
  readonly language: string;
  readonly code: string;
}

const FENCE = /^```(\w*).*\n([\s\S]*?)^```$/gm;
const DOC_COMMENT = /\/\*\*[\s\S]*?\*\//g;

export function blocksIn(document: string, markdown: string): Block[] {
  return Array.from(markdown.matchAll(FENCE), ({ index, 1: language = "", 2: code = "" }) => {
    const line = markdown.slice(0, index).split("\n").length + 1;
    return { document, line, language, code };
  });
}

/** The documents, and the doc comments of each source, all of them as Markdown. */
export function documentation(): Map<string, string> {
  const guides = readdirSync(`${ROOT}docs`, { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".md"))
    .map((name) => `docs/${name.replaceAll("\\", "/")}`);
  const documents = ["README.md", "PROTOCOL.md", "SECURITY.md", ...guides.sort()];
  return new Map([
    ...documents.map((path) => [path, read(path)] as const),
    ...sources().map((path) => [path, markdownOf(read(path))] as const),
  ]);
}

function sources(): string[] {
  const names = readdirSync(ROOT + "src", { recursive: true, encoding: "utf8" });
  const paths = names.map((name) => `src/${name.replaceAll("\\", "/")}`).sort();
  return ["mod.ts", ...paths.filter((path) => /\.tsx?$/.test(path))];
}

/** The doc comments of a source as Markdown; every line stays where it is. */
function markdownOf(source: string): string {
  let end = 0;
  const parts = Array.from(source.matchAll(DOC_COMMENT), ({ index, 0: comment }) => {
    const between = source.slice(end, index).replaceAll(/[^\n]/g, "");
    end = index + comment.length;
    return between + comment.replaceAll(/^ *(\/\*\*|\*\/|\*) ?/gm, "");
  });
  return parts.join("");
}
