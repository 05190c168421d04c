import type { Clock } from "./interface.ts";

/** Calls `call`, and rejects after `ms` milliseconds. A later result goes to `onLate`. */
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
