import { env } from "node:process";

/** How long to wait for an event, in milliseconds. */
const PATIENCE = Number(env.TEST_PATIENCE ?? 20_000);

/** An event as it came in: its name, then its arguments. */
export type Received = [event: string, ...args: unknown[]];

/** A list of events to wait on; none can be missed, however early it comes. */
export class EventQueue {
  /** Everything that ever came in. */
  readonly all: Received[] = [];
  #unread: Received[] = [];
  #waiting: { event: string; resolve: (args: unknown[]) => void }[] = [];

  push(...received: Received): void {
    this.all.push(received);
    const [event, ...args] = received;
    const index = this.#waiting.findIndex((waiter) => waiter.event === event);
    if (index < 0) this.#unread.push(received);
    else this.#waiting.splice(index, 1)[0]!.resolve(args);
  }

  /** The arguments of the next unread event of this name. */
  next(event: string): Promise<unknown[]> {
    const index = this.#unread.findIndex(([name]) => name === event);
    if (index >= 0) return Promise.resolve(this.#unread.splice(index, 1)[0]!.slice(1));
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        const seen = JSON.stringify(this.all.map(([name]) => name));
        reject(new Error(`Waited ${PATIENCE} ms in vain for "${event}"; what came was ${seen}`));
      }, PATIENCE);
      // Whoever has given up waiting (in a race, say) must not keep the process.
      (timer as { unref?: () => void }).unref?.();
      this.#waiting.push({
        event,
        resolve: (args) => {
          clearTimeout(timer);
          resolve(args);
        },
      });
    });
  }

  /** The names of everything that came in, in order. */
  get names(): string[] {
    return this.all.map(([name]) => name);
  }
}
