import { createServer } from "./targets.ts";

/** The class of socket.io's in-memory adapter, which it does not export. */
export const InMemoryAdapter: unknown = class extends (createServer().of("/").adapter
  .constructor as new (namespace: unknown) => object) {};
