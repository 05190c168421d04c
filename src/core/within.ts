import type { Clock } from "./interface.ts";

/**
 * Waits for what a call comes to, but not for ever: rejects after `ms`. What
 * comes later than that goes to `onLate`.
 */
export function within<T>(
  clock: Clock,
  ms: number,
  who: string,
  call: () => Promise<T>,
  onLate: (late: T) => void = () => {},
): Promise<T> {
  return new Promise((resolve, reject) => {
    let isLate = false;
    const cancel = clock.after(ms, () => {
      isLate = true;
      reject(new Error(`${who} has not answered for ${ms} ms.`));
    });
    call().then((answer) => isLate ? onLate(answer) : resolve(answer), reject).finally(cancel);
  });
}
