/** Counts something that happens, for somebody who waits until it has happened often enough. */
export class Counter {
  #count = 0;
  #awaited: { readonly count: number; readonly resolve: () => void } | undefined;

  add(): void {
    this.#count++;
    this.#check();
  }

  /** Resolves once it has happened so many times since this was called last; perhaps by now. */
  reach(count: number): Promise<void> {
    return new Promise((resolve) => {
      this.#awaited = { count, resolve };
      this.#check();
    });
  }

  #check(): void {
    if (!this.#awaited || this.#count < this.#awaited.count) return;
    this.#count -= this.#awaited.count;
    this.#awaited.resolve();
    this.#awaited = undefined;
  }
}
