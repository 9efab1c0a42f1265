/**
 * A decimal number of ASCII bytes as the double nearest to it, the one that `Number` gives, without making a string.
 *
 * Up to 18 digits, in two whole numbers of 32 bits. Up to 15 of them: they and a power of ten are exact doubles, one
 * operation rounds once (Clinger, PLDI 1990). More (what a float32 is written as has 17): the quotient in two doubles
 * (Dekker 1971), and a test that its error cannot change the rounding (Ziv 1991). Whatever is left over, exponents among
 * it, is asked of `Number`.
 */
const [MINUS, POINT, ZERO] = [45, 46, 48];
const POWERS = Float64Array.from({ length: 23 }, (_, e) => Number(`1e${e}`));
/** Splits a double into halves whose products are exact. */
const SPLIT = 2 ** 27 + 1;
/** Digits that fit into 32 bits. */
const FIT = 9;

/**
 * @param into takes the number
 * @returns where it ends, or -1 if no JSON number begins at `at`
 */
export function exactDecimal(block: Uint8Array, at: number, into: { value: number }): number {
  const start = at;
  const negative = block[at] === MINUS;
  if (negative) at++;
  let high = 0; // plain declarations: this is the inner loop of reading results
  let low = 0;
  let digits = 0;
  let after = 0;
  let digit = block[at]! - ZERO;
  if (digit === 0) digit = block[++at]! - ZERO;
  else {
    for (; digit >= 0 && digit <= 9 && digits < FIT; digits++, digit = block[++at]! - ZERO) high = 10 * high + digit;
    if (digits === 0) return -1;
  }
  if (digit === POINT - ZERO) {
    const from = ++at;
    digit = block[at]! - ZERO;
    if (digits === 0) while (digit === 0) digit = block[++at]! - ZERO;
    for (; digit >= 0 && digit <= 9 && digits < FIT; digits++, digit = block[++at]! - ZERO) high = 10 * high + digit;
    for (; digit >= 0 && digit <= 9 && digits < 2 * FIT; digits++, digit = block[++at]! - ZERO) low = 10 * low + digit;
    after = at - from;
    if (after === 0) return -1;
  }
  if ((digit >= 0 && digit <= 9) || digit === UPPER || digit === LOWER || after > 22) return other(block, start, into);
  const value = quotient(high, low, Math.max(0, digits - FIT), after);
  if (value !== value) return other(block, start, into);
  into.value = negative ? -value : value;
  return at;
}

/** E and e of an exponent. */
const [UPPER, LOWER] = [69 - ZERO, 101 - ZERO];

/** (high 10^lowDigits + low) / 10^after, rounded once; NaN where that is not certain. */
function quotient(high: number, low: number, lowDigits: number, after: number): number {
  const divisor = POWERS[after]!;
  if (lowDigits <= 6) return (high * POWERS[lowDigits]! + low) / divisor;
  const shift = POWERS[lowDigits]!;
  const product = high * shift;
  const sum = product + low; // low is the smaller one
  const rest = productError(high, shift, product) + (low - (sum - product));
  const first = sum / divisor;
  const back = first * divisor;
  const correction = (sum - back - productError(first, divisor, back) + rest) / divisor;
  const one = first + correction * (1 + 2 ** -30);
  return one === first + correction * (1 - 2 ** -30) ? one : NaN;
}

/** a b less its rounded product: exact. */
function productError(a: number, b: number, product: number): number {
  const sa = SPLIT * a;
  const sb = SPLIT * b;
  const ah = sa - (sa - a);
  const bh = sb - (sb - b);
  const al = a - ah;
  const bl = b - bh;
  return ah * bh - product + ah * bl + al * bh + al * bl;
}

const NUMBER = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y;

/** The same by `Number`. */
function other(block: Uint8Array, at: number, into: { value: number }): number {
  let end = at;
  while (end < block.length && isOfNumber(block[end]!)) end++;
  const text = String.fromCharCode(...block.subarray(at, end));
  NUMBER.lastIndex = 0;
  const found = NUMBER.exec(text)?.[0] ?? '';
  // A number goes as far as such characters do: 01, 1. and 1e are none.
  if (found !== text || found === '') return -1;
  into.value = Number(found);
  return end;
}

/** Digits, signs, point and e. */
function isOfNumber(byte: number): boolean {
  return (byte >= ZERO && byte <= 57) || byte === 43 || byte === MINUS || byte === POINT || (byte | 32) === 101;
}
