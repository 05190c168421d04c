/**
 * Parents of dynamic namespaces, and what falls under a policy on one of them:
 * their children, and every namespace that would be a child if it had not come
 * about in another way: earlier, by its name, or by an older parent.
 *
 * @module
 */
import { matches } from "../core/policy.ts";
import type { RawNamespace, RawParentNamespace } from "./internals.ts";

type Answer = (error: unknown, isOne: unknown) => void;

/** What socket.io asks of a parent: a function of the application, or one of its own. */
type Asked = (name: string, auth: object, answer: Answer) => unknown;

/** The expression of a parent of dynamic namespaces, if it was made of one. */
export function expressionOf(parent: RawParentNamespace): RegExp | undefined {
  const expressions = parent.server.parentNamespacesFromRegExp ?? [];
  return [...expressions].find(([, nsp]) => nsp === parent)?.[0];
}

/** Which of its server's parents it is: socket.io asks the oldest first. */
export function placeOf(parent: RawParentNamespace): number {
  return [...parent.server.parentNsps.values()].indexOf(parent);
}

/**
 * Whether a namespace falls under a parent. A function is asked as socket.io
 * asks it, for a client without a payload, and may answer later. The main
 * namespace is always there, so that no function is ever asked about it.
 *
 * @throws whatever the function throws
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
