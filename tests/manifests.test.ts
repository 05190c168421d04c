// What no compiler checks: that the manifests agree, that imports only point
// the allowed way, and that the public names are the ones written down here.
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { assert, assertEquals, describe, it } from "#testing";
import { SUPPORTED } from "../src/socketio/supported.ts";

const ROOT = fileURLToPath(new URL("..", import.meta.url));
const read = (path: string): string => readFileSync(ROOT + path, "utf8");
const readJson = (path: string) => JSON.parse(read(path));

const deno = readJson("deno.json");
const jsr = readJson("jsr.json");
const npm = readJson("package.json");
const lock = readJson("package-lock.json");

describe("manifests", () => {
  it("agree on name, version and license", () => {
    for (const field of ["name", "version", "license"]) {
      const value = npm[field];
      assertEquals([deno[field], jsr[field], lock.packages[""][field]], [value, value, value]);
    }
    assertEquals([lock.name, lock.version], [npm.name, npm.version]);
  });

  it("publish the same to JSR", () => {
    assertEquals(jsr.publish, deno.publish);
  });

  it("agree on what is exported, and npm's is built from it", () => {
    assertEquals(jsr.exports, deno.exports);
    const built = Object.entries<string>(deno.exports).map(([name, source]) => {
      const base = source.replace("./", "./dist/").replace(/\.ts$/, "");
      return [name, { types: `${base}.d.ts`, default: `${base}.js` }];
    });
    const { "./package.json": own, ...exports } = npm.exports;
    assertEquals(exports, Object.fromEntries(built));
    assertEquals(own, "./package.json");
  });

  it("lead the compiler, Bun and esbuild from the package's name to its sources", () => {
    const paths = Object.entries<string>(deno.exports).map(([entry, source]) => {
      return [deno.name + entry.slice(1), [source]];
    });
    assertEquals(readJson("tsconfig.json").compilerOptions.paths, Object.fromEntries(paths));
  });

  it("start the same examples on Deno as on Node and Bun", () => {
    const filesOf = (commands: Record<string, string>) => {
      const entries = Object.entries(commands).map(([name, command]) => {
        return [name, /\bexamples\/.*/.exec(command)?.[0]];
      });
      return entries.filter(([, file]) => file);
    };
    assert(filesOf(npm.scripts).length > 6);
    assertEquals(filesOf(deno.tasks), filesOf(npm.scripts));
  });

  it("name the main entry again for resolvers that do not know `exports`", () => {
    const main = npm.exports["."];
    assertEquals({ types: npm.types, default: npm.main }, main);
  });

  it("name those for clients and tokens again, too", () => {
    const names = ["client", "protocol", "jwt"];
    const built = names.map((name) => npm.exports[`./${name}`]);
    assertEquals(
      Object.entries(npm.browser),
      names.map((name, i) => [`./${name}`, built[i].default]),
    );
    const types = names.map((name, i) => [name, [built[i].types]]);
    assertEquals(npm.typesVersions, { "*": Object.fromEntries(types) });
  });

  it("have jose at hand as it is wanted", () => {
    const { jose } = npm.devDependencies;
    const [major] = jose.split(".");
    // The first version whose main entry exports `customFetch`.
    assertEquals(npm.peerDependencies.jose, `>=6.0.8 <${Number(major) + 1}.0.0`);
    assert(deno.imports.jose.startsWith(`npm:jose@^${major}.`));
  });

  it("want the socket.io that is supported, where it is wanted", () => {
    const { "socket.io": server, "socket.io-client": client } = npm.peerDependencies;
    const [from, to] = SUPPORTED.split(" to 4.");
    const range = `>=${from}.0 <4.${Number(to) + 1}.0`;
    assertEquals({ server, client }, { server: range, client: range });
    for (const name of ["socket.io", "socket.io-client"]) {
      assertEquals(npm.devDependencies[`${name}-oldest`], `npm:${name}@${from}.0`);
      assert(npm.devDependencies[name].startsWith(`4.${to}.`));
      assertEquals(deno.imports[name], `npm:${name}@~4.${to}.0`);
    }
    const optional = Object.keys(npm.peerDependencies).map((name) => [name, { optional: true }]);
    assertEquals(npm.peerDependenciesMeta, Object.fromEntries(optional));
    for (const field of ["peerDependencies", "peerDependenciesMeta"]) {
      assertEquals(lock.packages[""][field], npm[field]);
    }
  });

  it("depend on nothing at run time", () => {
    assertEquals(npm.dependencies ?? {}, {});
    assertEquals(lock.packages[""].dependencies ?? {}, {});
  });

  it("name no registry in the lock file", () => {
    assert(!read("package-lock.json").includes('"resolved"'));
  });

  it("have an import map for where JSR is out of reach that differs only in that", () => {
    const withoutJsr = Object.entries<string>(deno.imports).filter(([, to]) => /^npm:/.test(to));
    const { "#testing": testing, ...others } = readJson("tests/testing/import_map.json").imports;
    assertEquals(others, Object.fromEntries(withoutJsr));
    assertEquals(testing, "./node.ts");
  });
});

interface Import {
  /** The file it is in. */
  readonly from: string;
  /** The specifier; a relative one is resolved, like `src/core/hold.ts`. */
  readonly to: string;
  readonly kind: "type" | "value" | "dynamic";
}

const STATEMENT = /^\s*(?:import|export)\s+(type\s+)?(?:[\w$*{}\s,]+?\sfrom\s+)?"([^"]+)"/gm;
const CALL = /\bimport\(\s*(?:"([^"]+)")?/g;

function importsOf(path: string): Import[] {
  const code = codeOf(path);
  return [
    ...Array.from(code.matchAll(STATEMENT), ([, type, to = ""]): Import => {
      return { from: path, to: resolve(path, to), kind: type ? "type" : "value" };
    }),
    ...Array.from(code.matchAll(CALL), ([, to = "something computed"]): Import => {
      return { from: path, to: resolve(path, to), kind: "dynamic" };
    }),
  ];
}

/** A source without its comments, which hold examples. */
function codeOf(path: string): string {
  return read(path).replaceAll(/\/\*[\s\S]*?\*\//g, "").replaceAll(/(^|\s)\/\/.*/g, "");
}

function resolve(path: string, to: string): string {
  return to.startsWith(".") ? new URL(to, `file:///${path}`).pathname.slice(1) : to;
}

function sourcesIn(folder: string): string[] {
  if (!existsSync(ROOT + folder)) return [];
  return readdirSync(ROOT + folder, { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".ts"))
    .map((name) => `${folder}/${name.replaceAll("\\", "/")}`)
    .sort();
}

const sources = ["mod.ts", ...sourcesIn("src")];
const imports = sources.flatMap(importsOf);
/** The one entry point that everything may import: what goes over the wire. */
const PROTOCOL = "src/protocol.ts";
const entryPoints = Object.values<string>(deno.exports).map((path) => path.replace("./", ""));

/** Where files may import from, by where they are. Inside one folder everything goes. */
const DIRECTIONS: Record<string, readonly string[]> = {
  "src/protocol.ts": [],
  "src/core": ["src/protocol.ts"],
  "src/socketio": ["src/core", "src/protocol.ts"],
  "src/adapters": ["src/socketio", "src/core", "src/protocol.ts"],
  "src/client": ["src/protocol.ts"],
  "src/jwt": ["src/core", "src/protocol.ts"],
  "mod.ts": ["src/socketio"],
};

const isIn = (path: string, place: string): boolean =>
  path === place || path.startsWith(`${place}/`);

/** Packages that are imported where they are used, and how. */
const PACKAGES: Record<string, (one: Import) => boolean> = {
  "node:": ({ from }) => from === "src/adapters/http.ts",
  "jose": ({ from }) => isIn(from, "src/jwt"),
  "socket.io": ({ kind }) => kind === "type",
  "socket.io-client": ({ from, kind }) => isIn(from, "src/client") && kind === "type",
  "@socket.io/bun-engine": ({ from, kind }) => from === "src/adapters/bun.ts" && kind === "dynamic",
};

/** Groups of files that import each other, values and types alike. */
function circles(): string[][] {
  const targets = (path: string): string[] =>
    imports.filter(({ from, to }) => from === path && sources.includes(to)).map(({ to }) => to);
  const reach = new Map(sources.map((path) => {
    const seen = new Set<string>();
    for (const next of targets(path)) seen.add(next);
    for (const next of seen) for (const further of targets(next)) seen.add(further);
    return [path, seen];
  }));
  const groups = sources.filter((path) => reach.get(path)!.has(path)).map((path) =>
    sources.filter((other) => reach.get(path)!.has(other) && reach.get(other)!.has(path))
  );
  return [...new Map(groups.map((group) => [group.join(), group])).values()];
}

describe("imports", () => {
  it("are found at all", () => {
    const inBun = imports.filter(({ from }) => from === "src/adapters/bun.ts");
    assertEquals(inBun.map(({ to, kind }) => `${kind} ${to}`), [
      "value src/adapters/allow_request.ts",
      "value src/adapters/serve.ts",
      "value src/socketio/public.ts",
      "value src/socketio/public.ts",
      "type src/adapters/serve.ts",
      "dynamic @socket.io/bun-engine",
    ]);
    const fromMod = imports.filter(({ from }) => from === "mod.ts");
    assert(fromMod.length > 0 && fromMod.every(({ to }) => sources.includes(to)));
  });

  it("point one way", () => {
    for (const [place, allowed] of Object.entries(DIRECTIONS)) {
      const inside = imports.filter(({ from, to }) => isIn(from, place) && sources.includes(to));
      const wrong = inside.filter(({ to }) => ![place, ...allowed].some((it) => isIn(to, it)));
      assertEquals(wrong, [], place);
    }
    const placed = sources.filter((path) => Object.keys(DIRECTIONS).some((it) => isIn(path, it)));
    assertEquals(placed, sources);
  });

  it("are never of an entry point", () => {
    assertEquals(imports.filter(({ to }) => entryPoints.includes(to) && to !== PROTOCOL), []);
  });

  it("of packages are only where they are used", () => {
    const foreign = imports.filter(({ to }) => !sources.includes(to));
    const isKnown = (one: Import) => {
      const [, allows] =
        Object.entries(PACKAGES).find(([name]) =>
          one.to === name || (name.endsWith(":") && one.to.startsWith(name))
        ) ?? [];
      return allows?.(one) ?? false;
    };
    assertEquals(foreign.filter((one) => !isKnown(one)), []);
  });

  it("make no circle but within one folder", () => {
    const folderOf = (path: string) => path.slice(0, path.lastIndexOf("/"));
    const wrong = circles().filter((group) => new Set(group.map(folderOf)).size > 1);
    assertEquals(wrong, []);
  });
});

/** What JSR does not take; what is more than types the compiler refuses (`erasableSyntaxOnly`). */
const UNWANTED = {
  "declare module": /\bdeclare\s+module\b/,
  "declare global": /\bdeclare\s+global\b/,
};

describe("sources", () => {
  it("are erased to JavaScript by every runtime, as the compiler sees to", () => {
    assertEquals(readJson("tsconfig.json").compilerOptions.erasableSyntaxOnly, true);
  });

  for (const [name, pattern] of Object.entries(UNWANTED)) {
    it(`have no ${name}`, () => {
      assertEquals(sources.filter((path) => pattern.test(codeOf(path))), []);
    });
  }
});

/** What a module exports, by its text. */
function exportsOf(path: string): string[] {
  const code = codeOf(path);
  const lists = Array.from(code.matchAll(/^export\s*\{([^}]*)\}/gm), ([, list = ""]) => list);
  const named = lists.flatMap((list) => list.split(","))
    .map((name) => name.trim().split(/\s+as\s+/).at(-1)!)
    .filter((name) => name !== "");
  const declared = code.matchAll(/^export\s+(?:async\s+)?(?:function|const|class)\s+(\w+)/gm);
  return [...named, ...Array.from(declared, ([, name = ""]) => name)].sort();
}

describe("testing seams", () => {
  it("export the same names", () => {
    assertEquals(exportsOf("tests/testing/node.ts"), exportsOf("tests/testing/std.ts"));
    assertEquals(exportsOf("tests/testing/node.ts"), [
      "afterAll",
      "afterEach",
      "assert",
      "assertEquals",
      "assertMatch",
      "assertRejects",
      "assertThrows",
      "describe",
      "it",
    ]);
  });
});

describe("public names", () => {
  const MAIN = ["AuthError", "admit", "cookies", "default", "socketioAuth"];
  const SERVING = ["AuthError", "admit", "cookies", "default", "serve", "socketioAuth"];
  const WIRE = [
    "AUTHENTICATED",
    "AUTHENTICATION",
    "CHALLENGE",
    "PROTOCOL_VERSION",
    "UNAUTHORIZED",
    "isCode",
    "parseAuthentication",
    "unauthorized",
  ];
  const modules = {
    ".": [() => import("../mod.ts"), MAIN],
    "./node": [() => import("../src/adapters/node.ts"), SERVING],
    "./deno": [() => import("../src/adapters/deno.ts"), SERVING],
    "./bun": [() => import("../src/adapters/bun.ts"), SERVING],
    "./client": [() => import("../src/client/client.ts"), ["UnauthorizedError", "authenticate"]],
    "./protocol": [() => import("../src/protocol.ts"), WIRE],
    "./jwt": [() => import("../src/jwt/jwt.ts"), ["jwt"]],
  } as const;

  it("are written down here for each entry point", () => {
    assertEquals(Object.keys(modules), Object.keys(deno.exports));
  });

  for (const [name, [load, names]] of Object.entries(modules)) {
    it(`of ${name}`, async () => {
      const module: object = await load();
      assertEquals(Object.keys(module).sort(), [...names]);
    });
  }

  it("have the main function under its own name in an API reference", () => {
    // A re-export `as default` takes the place of the named one there.
    assertEquals(["mod.ts", ...sources].filter((path) => /\bas default\b/.test(codeOf(path))), []);
  });

  it("are the same thing by two names", async () => {
    const { default: byDefault, socketioAuth } = await import("../mod.ts");
    assert(byDefault === socketioAuth);
  });
});
