/**
 * The entry point for Node, and for `node:http` on any runtime. Exports everything that the main
 * entry point exports, and `serve`.
 *
 * @module
 */
export * from "../socketio/public.ts";
export { default } from "../socketio/public.ts";
export { serve } from "./http.ts";
export type { Running, Servable, ServeOptions } from "./serve.ts";
