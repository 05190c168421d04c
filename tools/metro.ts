/**
 * Resolves as React Native's Metro does without package exports, which it had switched off until
 * version 0.78 of React Native.
 *
 * @module
 */
import { existsSync, readFileSync, statSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join, relative, sep } from "node:path";
import { type ResolutionContext, resolve } from "metro-resolver";

const require = createRequire(import.meta.url);
/** What Metro itself gives the resolver, where there are no packages besides those installed. */
const { default: createDefaultContext } = require("metro-resolver/private/createDefaultContext");

/** The file that `name` stands for where a file imports it. */
export function resolveAsMetro(name: string, originModulePath: string): string {
  const context: ResolutionContext = createDefaultContext({
    allowHaste: false,
    assetExts: new Set(),
    customResolverOptions: {},
    dev: false,
    disableHierarchicalLookup: false,
    doesFileExist: existsSync,
    extraNodeModules: null,
    fileSystemLookup,
    getPackage: read,
    getPackageForModule,
    // As React Native sets them.
    mainFields: ["react-native", "browser", "main"],
    nodeModulesPaths: [],
    originModulePath,
    preferNativePlatform: true,
    resolveAsset: () => null,
    resolveHasteModule: () => undefined,
    resolveHastePackage: () => undefined,
    sourceExts: ["js", "jsx", "json", "ts", "tsx"],
    unstable_conditionNames: ["react-native"],
    unstable_conditionsByPlatform: {},
    unstable_enablePackageExports: false,
    unstable_logWarning: () => {},
  });
  const resolution = resolve(context, name, "ios");
  if (resolution.type !== "sourceFile") throw new Error(`${name} is ${resolution.type} to Metro`);
  return resolution.filePath;
}

function fileSystemLookup(path: string): ReturnType<ResolutionContext["fileSystemLookup"]> {
  const stats = statSync(path, { throwIfNoEntry: false });
  if (!stats) return { exists: false };
  return { exists: true, type: stats.isDirectory() ? "d" : "f", realPath: path };
}

function read(path: string): ReturnType<ResolutionContext["getPackage"]> {
  return existsSync(path) ? JSON.parse(readFileSync(path, "utf8")) : null;
}

function getPackageForModule(
  path: string,
): ReturnType<ResolutionContext["getPackageForModule"]> {
  for (let folder = dirname(path); folder !== dirname(folder); folder = dirname(folder)) {
    if (folder.endsWith(`${sep}node_modules`)) return null;
    const packageJson = read(join(folder, "package.json"));
    const packageRelativePath = relative(folder, path);
    if (packageJson) return { packageJson, rootPath: folder, packageRelativePath };
  }
  return null;
}
