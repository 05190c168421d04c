/** Whether two types are the same; `any` is the same as nothing else. */
export type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends (<T>() => T extends B ? 1 : 2)
  ? true
  : false;

/** `expect<Equal<A, B>>()` compiles only if both types are the same. */
export function expect<_T extends true>(): void {}

export interface User {
  readonly id: number;
  readonly until: Date;
}

export interface Credentials {
  readonly token: string;
}

/** The helper can tell types apart at all. */
export function helper(): void {
  expect<Equal<User, User>>();
  // @ts-expect-error -- another type
  expect<Equal<User, Credentials>>();
  // deno-lint-ignore no-explicit-any -- this is about `any`
  type Any = any;
  // @ts-expect-error -- anything is not a user
  expect<Equal<Any, User>>();
  // @ts-expect-error -- one of several types
  expect<Equal<User, User | undefined>>();
}
