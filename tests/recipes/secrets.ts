// Secrets that tests can forge with. To be imported before a recipe, which reads its own when it is.
import { env } from "node:process";

export const SECRET = "a secret of the tests, of 32 bytes at least";

for (const name of ["AUTH_SECRET", "JWT_SECRET", "SESSION_PASSWORD", "SESSION_SECRET"]) {
  env[name] = SECRET;
}
