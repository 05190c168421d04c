import type { Clock } from "./interface.ts";
import type { ErrorContext } from "./options.ts";

const MOST = 10;

/**
 * Creates the default of the option `onError`, which prints the first ten errors of each second,
 * and how many more there were.
 */
export function printErrors(clock: Clock): (error: unknown, context: ErrorContext<never>) => void {
  let count = 0;

  function endSecond(): void {
    const left = count - MOST;
    count = 0;
    if (left > 0) console.error(`socketio-auth: ${left} more errors were left out.`);
  }

  return (error, { during }) => {
    if (++count === 1) clock.after(1000, endSecond);
    if (count > MOST) return;
    console.error(`socketio-auth: unexpected error during ${during}:`, error);
  };
}
