/**
 * Times of any source as seconds since 1970, by one rule for every format.
 *
 * A number's unit is detected by its magnitude: below 1e11 seconds (until the year 5138), below 1e14 milliseconds,
 * below 1e17 microseconds, below 1e20 nanoseconds (each since March 1973, so that the ranges do not meet in any year
 * that a data set can have). A number that is a date's digits (`20181031`, `20181031120000`) is refused: as seconds it
 * would be a day of 1970. A text is a number or a date such as `2018-10-31` or `2018-10-31T12:00:00Z`; without a zone
 * it is UTC.
 */

/** What a message says was expected. */
export const TIME_EXPECTED = 'a time (seconds, ms, us or ns since 1970, or a date such as 2018-10-31)';

/**
 * @param value number, bigint, Date or text
 * @returns seconds since 1970, UTC; undefined for what is no time: an empty text, a truth value, a date's digits
 * @example timeOf('2018-10-31') === timeOf(1540944000000) // true
 */
export function timeOf(value: unknown): number | undefined {
  const time = secondsOrNaN(value);
  return Number.isFinite(time) ? time : undefined;
}

function secondsOrNaN(value: unknown): number {
  if (typeof value === 'number') return secondsOf(value);
  if (typeof value === 'bigint') return secondsOf(Number(value));
  if (value instanceof Date) return value.getTime() / 1000;
  if (typeof value !== 'string') return NaN;
  const text = value.trim();
  return /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(text) ? secondsOf(Number(text)) : secondsOfDate(text);
}

/** A number as seconds, its unit detected by its magnitude; NaN for what is no time. */
export function secondsOf(time: number): number {
  const size = Math.abs(time);
  if (size < 1e11) return size >= 19_000_101 && size <= 21_001_231 && isDate(size) ? NaN : time;
  if (size < 1e14) return looksLikeClock(size) ? NaN : time / 1e3;
  if (size < 1e17) return time / 1e6;
  return size < 1e20 ? time / 1e9 : NaN;
}

/** The digits of a date with hours and minutes (12) or seconds too (14). */
function looksLikeClock(size: number): boolean {
  if (size >= 190_001_010_000 && size <= 210_012_312_359) return isDate(Math.floor(size / 1e4)) && isClock(size % 1e4);
  if (size < 19_000_101_000_000 || size > 21_001_231_235_959) return false;
  return isDate(Math.floor(size / 1e6)) && isClock(Math.floor(size / 100) % 1e4) && size % 100 < 60;
}

/** `20181031`: a day of the calendar. */
function isDate(digits: number): boolean {
  if (!Number.isInteger(digits)) return false;
  return isDay(Math.floor(digits / 1e4), Math.floor(digits / 100) % 100, digits % 100);
}

function isClock(digits: number): boolean {
  return digits < 2400 && digits % 100 < 60;
}

function isDay(year: number, month: number, day: number): boolean {
  return month >= 1 && month <= 12 && day >= 1 && day <= new Date(Date.UTC(year, month, 0)).getUTCDate();
}

const DATE = /^(\d{4})-(\d\d)-(\d\d)(?:[T ](\d\d):(\d\d)(?::(\d\d)(\.\d+)?)?\s*(?:(Z|UTC)|([+-])(\d\d):?(\d\d)?)?)?$/i;

function secondsOfDate(text: string): number {
  const match = DATE.exec(text);
  if (!match) return NaN;
  const [year, month, day, hour, minute, second] = match.slice(1, 7).map((digits) => Number(digits ?? 0)) as [
    number,
    number,
    number,
    number,
    number,
    number,
  ];
  if (!isDay(year, month, day) || hour > 24 || minute > 59 || second > 60) return NaN;
  const zone = (match[9] === '-' ? -60 : 60) * (60 * Number(match[10] ?? 0) + Number(match[11] ?? 0));
  return Date.UTC(year, month - 1, day, hour, minute, second) / 1000 + Number(match[7] ?? 0) - zone;
}
