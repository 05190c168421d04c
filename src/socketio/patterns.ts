/**
 * Parents of dynamic namespaces, and the namespaces that a policy on a parent covers: its children,
 * and every namespace that would be a child had it not been created earlier, by name, or by an
 * older parent.
 *
 * @module
 */
import { matches } from "../core/policy.ts";
import type { RawNamespace, RawParentNamespace } from "./internals.ts";

type Answer = (error: unknown, isOne: unknown) => void;

/** The function of a parent: the application's, or one that socket.io made of an expression. */
type Asked = (name: string, auth: object, answer: Answer) => unknown;

export function expressionOf(parent: RawParentNamespace): RegExp | undefined {
  const expressions = parent.server.parentNamespacesFromRegExp ?? [];
  return [...expressions].find(([, nsp]) => nsp === parent)?.[0];
}

/** Returns the place of a parent among those of its server. socket.io asks the oldest first. */
export function placeOf(parent: RawParentNamespace): number {
  return [...parent.server.parentNsps.values()].indexOf(parent);
}

/**
 * Returns whether a parent covers a namespace. A function is asked as socket.io asks it, for a
 * client without a payload, and may answer later. It is not asked about the main namespace, which
 * always exists.
 *
 * @throws if the function throws
 */
export function isUnder(parent: RawParentNamespace, nsp: RawNamespace): boolean | Promise<boolean> {
  if (parent.children.has(nsp)) return true;
  const expression = expressionOf(parent);
  if (expression) return matches(expression, nsp.name);
  const [ask] = [...parent.server.parentNsps].find(([, other]) => other === parent) ?? [];
  return nsp.name !== "/" && answerOf(ask as Asked, nsp.name);
}

function answerOf(ask: Asked, name: string): boolean | Promise<boolean> {
  let answer: boolean | undefined;
  let settle: ((isOne: boolean) => void) | undefined;
  const returned = Promise.resolve(ask(name, {}, (error, isOne) => {
    answer ??= !error && Boolean(isOne);
    settle?.(answer);
  }));
  if (answer === undefined) {
    return new Promise((resolve, reject) => {
      settle = resolve;
      returned.catch(reject);
    });
  }
  returned.catch(() => {});
  return answer;
}
