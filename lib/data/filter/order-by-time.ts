/**
 * The order of interactions in time: a stable radix sort over the bits of float64 numbers, eleven at a time.
 *
 * A positive number's bits grow with it, a negative one's fall: flipping the sign bit of the first and all bits of the
 * second gives whole numbers in the same order. Digits in which all numbers agree are passed over; whole seconds of
 * our times need three or four of the six.
 */
const BITS = 11;
const SIZE = 1 << BITS;
const DIGITS = 6; // three a 32-bit half

/** @returns a permutation: the oldest first, equal times in the order given */
export function orderByTime(times: Float64Array): Int32Array {
  const n = times.length;
  const keys = sortableBits(times);
  const counts = Array.from({ length: DIGITS }, () => new Int32Array(SIZE));
  for (let i = 0; i < n; i++) for (let d = 0; d < DIGITS; d++) counts[d]![digit(keys, i, d)]!++;
  let order = new Int32Array(n);
  for (let i = 0; i < n; i++) order[i] = i;
  let next = new Int32Array(n);
  for (let d = 0; d < DIGITS; d++) {
    const count = counts[d]!;
    if (count[digit(keys, 0, d)] === n) continue; // of no times at all, too
    for (let value = 0, before = 0; value < SIZE; value++) [count[value], before] = [before, before + count[value]!];
    for (let i = 0; i < n; i++) next[count[digit(keys, order[i]!, d)]!++] = order[i]!;
    [order, next] = [next, order];
  }
  return order;
}

/** Halves of each number's bits, the low one first. */
function sortableBits(times: Float64Array): Uint32Array {
  const numbers = new Float64Array(times.length);
  for (let i = 0; i < times.length; i++) numbers[i] = times[i]! + 0; // -0 and 0 are one time
  const halves = new Uint32Array(numbers.buffer);
  for (let i = 1; i < halves.length; i += 2) {
    if (halves[i]! >= 0x80000000) {
      halves[i - 1] = ~halves[i - 1]!;
      halves[i] = ~halves[i]!;
    } else halves[i] = halves[i]! ^ 0x80000000;
  }
  return halves;
}

function digit(keys: Uint32Array, i: number, d: number): number {
  return d < 3 ? (keys[2 * i]! >>> (BITS * d)) & (SIZE - 1) : (keys[2 * i + 1]! >>> (BITS * (d - 3))) & (SIZE - 1);
}
