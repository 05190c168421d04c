/**
 * Lets Node find the sources of this package by its own name, as the examples import it:
 * `node --import ./tools/from-source.ts examples/chat/server.ts`. Bun finds them by the `paths` of
 * tsconfig.json, as the compiler and esbuild do, Deno by the `exports` of deno.json.
 */
import * as module from "node:module";
import manifest from "../deno.json" with { type: "json" };

const { name, exports } = manifest;
const sources = new Map(
  Object.entries(exports).map(([entry, path]) => [name + entry.slice(1), `../${path}`]),
);

// Bun has no such function, and needs none.
module.registerHooks?.({
  resolve(specifier, context, next) {
    const source = sources.get(specifier);
    return next(source ? new URL(source, import.meta.url).href : specifier, context);
  },
});
