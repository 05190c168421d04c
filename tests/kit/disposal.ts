import { afterEach } from "#testing";

const disposals: (() => unknown)[] = [];

/** Has `fn` called after the test that is running, last come first served. */
export function onDispose(fn: () => unknown): void {
  disposals.push(fn);
}

/** To be called once in every `describe` whose tests use the kit. */
export function disposeAfterEach(): void {
  afterEach(async () => {
    while (disposals.length > 0) await disposals.pop()!();
  });
}
