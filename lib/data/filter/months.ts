/** Calendar months, `2018-10`, in UTC: the bounds of the filter's dates. */
import { InputError } from '../../support/errors.js';

/**
 * Seconds since 1970 of a month's first moment, or with `after` 1 of the next month's.
 * @param name the option's name, for the message
 */
export function monthStart(month: string, name: string, after = 0): number {
  const match = /^(\d{4})-(\d{2})$/.exec(month);
  const number = Number(match?.[2]);
  if (!match || number < 1 || number > 12) {
    throw new InputError(`${name}: expected a month such as 2018-10, got ${month}`);
  }
  return Date.UTC(Number(match[1]), number - 1 + after, 1) / 1000;
}
