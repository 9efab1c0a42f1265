/** Flags as a library function's options. */
import type { FlagValues } from './flags.js';

/** The values as they are: the names are the same, and the functions check what they get. */
export function options<T>(values: FlagValues): T {
  return values as T;
}
