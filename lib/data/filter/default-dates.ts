/** The dates that are kept where none are named. */
import type { RawFormat } from '../raw/format-names.js';

/**
 * MiniOneRec's dates, 1996-10 to 2018-10, belong to Amazon's files of 2014 and 2018; every other source, interactions
 * made in memory too, is kept whole. `minItems` asks for the reference's widening, which begins at its dates.
 * @param format where the interactions come from; missing for those made in memory
 */
export function defaultMonths(format?: RawFormat, minItems = 0): { from: string; to: string } {
  const reference = format === 'amazon-2014' || format === 'amazon-2018' || minItems > 0;
  return reference ? { from: '1996-10', to: '2018-10' } : { from: 'any', to: 'any' };
}
