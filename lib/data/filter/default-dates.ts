/** The dates that are kept where none are named. */
import type { RawFormat } from '../raw/formats.js';
import type { FilterOptions } from './filter-options.js';

/**
 * MiniOneRec's dates, 1996-10 to 2018-10, belong to Amazon's files of 2014 and 2018; every other source, interactions
 * made in memory too, is kept whole. `minItems` asks for the reference's widening, which begins at its dates.
 * @param format where the interactions come from; missing for those made in memory
 * @returns the options, with `from` and `to` where they need be other than the reference's
 */
export function withDefaultDates<T extends FilterOptions>(options: T, format?: RawFormat): T {
  const reference = format === 'amazon-2014' || format === 'amazon-2018' || options.minItems;
  return reference ? options : { from: 'any', to: 'any', ...options };
}
