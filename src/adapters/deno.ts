/**
 * The entry point for Deno, where npm's socket.io runs on `node:http`.
 *
 * @module
 */
export * from "../socketio/public.ts";
export { socketioAuth as default } from "../socketio/public.ts";
export { serve } from "./http.ts";
export type { Running, Servable, ServeOptions } from "./serve.ts";
