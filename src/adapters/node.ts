/**
 * The entry point for Node, and for `node:http` on any runtime.
 *
 * @module
 */
export * from "../socketio/public.ts";
export { socketioAuth as default } from "../socketio/public.ts";
export { serve } from "./http.ts";
export type { Running, Servable, ServeOptions } from "./serve.ts";
