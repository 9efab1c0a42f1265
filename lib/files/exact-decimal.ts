/**
 * A decimal number of ASCII bytes as the double nearest to it, the one that `Number` gives, without making a string.
 *
 * Up to 15 digits: digits and power of ten are exact doubles, one operation rounds once (Clinger, PLDI 1990). More digits
 * (what a float32 is written as has 17): the quotient in two doubles (Dekker 1971), and a test that its error cannot
 * change the rounding (Ziv 1991). Whatever is left over is asked of `Number`.
 */
const [MINUS, POINT, ZERO, NINE] = [45, 46, 48, 57];
const POWERS = Float64Array.from({ length: 23 }, (_, e) => Number(`1e${e}`));
/** Splits a double into halves whose products are exact. */
const SPLIT = 2 ** 27 + 1;

/**
 * @param into takes the number
 * @returns where it ends, or -1 if no JSON number begins at `at`
 */
export function exactDecimal(block: Uint8Array, at: number, into: { value: number }): number {
  const start = at;
  const negative = block[at] === MINUS;
  if (negative) at++;
  const from = at;
  let high = 0; // plain declarations: this is the inner loop of reading results
  let low = 0;
  let digits = 0;
  let lowDigits = 0;
  let after = 0;
  let point = -1;
  for (; ; at++) {
    const byte = block[at]!;
    if (byte === POINT && point < 0) {
      if (at === from) return -1;
      point = at;
      continue;
    }
    if (!(byte >= ZERO && byte <= NINE)) break;
    if (point >= 0) after++;
    if (digits < 15) high = 10 * high + (byte - ZERO);
    else {
      low = 10 * low + (byte - ZERO);
      lowDigits++;
    }
    if (high > 0) digits++;
  }
  const whole = (point < 0 ? at : point) - from;
  if (whole === 0 || (block[from] === ZERO && whole > 1) || at === point + 1) return -1;
  let exponent = 0;
  if ((block[at]! | 32) === 101) {
    const end = exponentEnd(block, at + 1);
    if (end < 0) return -1;
    exponent = Number(latin1(block, at + 1, end));
    at = end;
  }
  const value = lowDigits > 7 ? NaN : scaled(high, low, lowDigits, exponent - after);
  into.value = Number.isNaN(value) ? Number(latin1(block, start, at)) : negative ? -value : value;
  return at;
}

/** (high 10^lowDigits + low) 10^power, rounded once; NaN where that is not certain. */
function scaled(high: number, low: number, lowDigits: number, power: number): number {
  if (power > 0 || power < -22) return high === 0 && low === 0 ? 0 : NaN;
  const divisor = POWERS[-power]!;
  if (lowDigits === 0) return high / divisor;
  const shift = POWERS[lowDigits]!;
  const product = high * shift;
  const sum = product + low; // low is the smaller one
  const rest = productError(high, shift, product) + (low - (sum - product));
  const quotient = sum / divisor;
  const back = quotient * divisor;
  const correction = (sum - back - productError(quotient, divisor, back) + rest) / divisor;
  const one = quotient + correction * (1 + 2 ** -30);
  return one === quotient + correction * (1 - 2 ** -30) ? one : NaN;
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

function exponentEnd(block: Uint8Array, at: number): number {
  if (block[at] === 43 || block[at] === MINUS) at++;
  const from = at;
  while (block[at]! >= ZERO && block[at]! <= NINE) at++;
  return at === from ? -1 : at;
}

function latin1(block: Uint8Array, from: number, to: number): string {
  return String.fromCharCode(...block.subarray(from, to));
}
