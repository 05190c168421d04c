/** How an IPv4 address looks on a socket that speaks IPv6 too. */
const MAPPED = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i;

/** The same client has the same address, whatever kind of socket it came in on. */
export function normalizeAddress(address: string | undefined): string | undefined {
  return address && (MAPPED.exec(address)?.[1] ?? address);
}
