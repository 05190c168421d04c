/** The form of an IPv4 address on a socket that speaks IPv6 too. */
const MAPPED = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i;

/** Makes the address of a client the same on every kind of socket. */
export function normalizeAddress(address: string | undefined): string | undefined {
  return address && (MAPPED.exec(address)?.[1] ?? address);
}
