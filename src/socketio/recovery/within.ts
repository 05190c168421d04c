/** How long a store may take, in ms: a client that has no answer by then is a new one. */
const LIMIT = 2000;

/** Waits for a store, but not for ever. */
export function within<T>(call: () => Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => {
      reject(new Error(`The store of lost connections has not answered for ${LIMIT} ms.`));
    }, LIMIT);
    call().then(resolve, reject).finally(() => clearTimeout(timer));
  });
}
