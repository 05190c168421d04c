// What the documentation uses of frameworks that are too large to be development dependencies.

declare module "next" {
  import type { RequestListener } from "node:http";
  export default function next(
    options: { dev: boolean },
  ): { prepare(): Promise<void>; getRequestHandler(): RequestListener };
}

declare module "h3" {
  import type { EngineRequest } from "engine.io";
  import type { ServerResponse } from "node:http";
  interface Event {
    readonly node: { readonly req: EngineRequest; readonly res: ServerResponse };
    _handled: boolean;
  }
  interface Peer {
    readonly _internal: { readonly nodeReq: EngineRequest };
    readonly websocket: unknown;
  }
  export function defineEventHandler(
    handler: { handler(event: Event): void; websocket: { open(peer: Peer): void } },
  ): unknown;
}

declare module "nitropack/runtime" {
  interface NitroApp {
    readonly router: { use(path: string, handler: unknown): void };
  }
  export function defineNitroPlugin(plugin: (nitro: NitroApp) => void): unknown;
}
