/**
 * The entry point for Deno, where npm's socket.io runs on `node:http`.
 *
 * @module
 */
export * from "./node.ts";
export { default } from "./node.ts";
