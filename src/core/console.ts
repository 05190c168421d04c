import type { Clock } from "./interface.ts";
import type { ErrorContext } from "./options.ts";

/** How many errors are printed within a second at most. */
const MOST = 10;

/**
 * The default of the option `onError`: prints errors, of a flood of them the first ten in each
 * second, and how many there were besides.
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
