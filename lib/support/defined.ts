/** Options that were given, without those that were not. */

/** What of some options has a value. @example defined({ a: 1, b: undefined }) // { a: 1 } */
export function defined<T extends object>(options: T): { [K in keyof T]?: NonNullable<T[K]> } {
  const some = Object.entries(options).filter(([, value]) => value !== undefined);
  return Object.fromEntries(some) as { [K in keyof T]?: NonNullable<T[K]> };
}
