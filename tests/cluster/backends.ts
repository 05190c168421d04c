/** Tests that need a backend, and are skipped without it. */
import { it } from "#testing";
import { findPostgres, redisIsThere } from "../kit/backends.ts";

export const withRedis: typeof it | typeof it.skip = redisIsThere() ? it : it.skip;

/** Where PostgreSQL is. */
export const postgres: string | undefined = await findPostgres();

export const withPostgres: typeof it | typeof it.skip = postgres ? it : it.skip;
