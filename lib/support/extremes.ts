/** The largest and the smallest of many numbers: `Math.max(...values)` ends in a RangeError from some 120,000 on. */

/**
 * @param values any number of them @param start what there is at least. Default -Infinity, the largest of nothing
 * @example largest([3, 1], 2) // 3
 */
export function largest(values: Iterable<number>, start = -Infinity): number {
  let most = start;
  for (const value of values) if (value > most || Number.isNaN(value)) most = value;
  return most;
}

/**
 * @param values any number of them @param start what there is at most. Default Infinity, the smallest of nothing
 * @example smallest([3, 1], 2) // 1
 */
export function smallest(values: Iterable<number>, start = Infinity): number {
  let least = start;
  for (const value of values) if (value < least || Number.isNaN(value)) least = value;
  return least;
}
