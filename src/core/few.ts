/**
 * A list of no more than one thing, most of the time: that is kept as it is. An
 * array around it would cost 56 bytes, for each connection there is.
 */
export type Few<T extends object> = T | readonly T[] | undefined;

/** What is in it. */
export function listOf<T extends object>(few: Few<T>): readonly T[] {
  return few === undefined ? [] : isList(few) ? few : [few];
}

/** The same, to keep. */
export function fewOf<T extends object>(list: readonly T[]): Few<T> {
  return list.length > 1 ? list : list[0];
}

function isList<T extends object>(few: T | readonly T[]): few is readonly T[] {
  return Array.isArray(few);
}

/** The first thing in it that is wanted. */
export function findIn<T extends object>(
  few: Few<T>,
  isWanted: (one: T) => boolean,
): T | undefined {
  if (few === undefined || isList(few)) return few?.find(isWanted);
  return isWanted(few) ? few : undefined;
}
