/** The timers of the page that are due; to be imported before what sets any. */
export const timers: Set<unknown> = new Set();

const { setTimeout, clearTimeout } = globalThis;
Object.assign(globalThis, {
  setTimeout(callback: (...args: unknown[]) => void, ms: number, ...args: unknown[]) {
    const timer = setTimeout(() => {
      timers.delete(timer);
      callback(...args);
    }, ms);
    timers.add(timer);
    return timer;
  },
  clearTimeout(timer: ReturnType<typeof setTimeout>) {
    timers.delete(timer);
    clearTimeout(timer);
  },
});
