/**
 * Checks of unknown values. Those of options throw errors that say what was expected and given.
 *
 * @module
 */

export function isObject(value: unknown): value is object {
  return typeof value === "object" && value !== null;
}

/** Returns whether `value` is an object that inherits from Object or from nothing. */
export function isPlainObject(value: unknown): boolean {
  if (!isObject(value)) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}

/** Returns whether `value` is missing: `undefined`, or the `null` that JSON makes of it. */
export function isMissing(value: unknown): value is undefined | null {
  return value === undefined || value === null;
}

/** Returns whether `value` is missing, or an object without members. */
export function isNothing(value: unknown): boolean {
  return isMissing(value) || isPlainObject(value) && Object.keys(value as object).length === 0;
}

export function isFunction(value: unknown): boolean {
  return typeof value === "function";
}

export function isText(value: unknown): value is string {
  return typeof value === "string" && value !== "";
}

export function isDuration(value: unknown): value is number {
  return typeof value === "number" && value >= 0 && value < Infinity;
}

export function need(name: string, value: unknown, isRight: boolean, wanted: string): void {
  if (!isRight) {
    throw new TypeError(`Cannot guard: ${name} must be ${wanted}, got ${show(value)}.`);
  }
}

export function choose(name: string, value: unknown, choices: readonly string[]): void {
  const isRight = typeof value === "string" && choices.includes(value);
  need(name, value, isRight, choices.map((choice) => `"${choice}"`).join(" or "));
}

export function count(least: number): (name: string, value: unknown) => number {
  return (name, value) => {
    need(name, value, typeof value === "number", "a number");
    const number = value as number;
    if (number >= least && number <= Number.MAX_SAFE_INTEGER) return number;
    throw new RangeError(
      `Cannot guard: ${name} must be a finite number of at least ${least}, got ${number}.`,
    );
  };
}

/** Names a value in an error message without disclosing its contents. */
function show(value: unknown): string {
  if (typeof value === "string") return JSON.stringify(value);
  return value === null || typeof value !== "object" ? String(value) : "an object";
}
