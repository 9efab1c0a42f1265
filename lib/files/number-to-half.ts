/** Numbers to IEEE half precision, which JavaScript of Node 20 has no array of; the way back is in `half-floats.ts`. */
const float = new Float32Array(1);
const bits = new Uint32Array(float.buffer);

/** The nearest half of a float32, ties to even as NumPy's; beyond 65,504 infinity. */
export function numberToHalf(value: number): number {
  float[0] = value;
  const all = bits[0]!;
  const sign = (all >>> 16) & 0x8000;
  const rest = all & 0x7fffffff;
  if (rest > 0x7f800000) return sign | 0x7e00;
  if (rest >= 0x477ff000) return sign | 0x7c00; // 65,520 and more
  if (rest < 0x38800000) {
    // below 2^-14: a multiple of 2^-24
    return sign | roundToEven(Math.abs(float[0]) * 2 ** 24);
  }
  return sign | ((rest - 0x38000000 + 0xfff + ((rest >>> 13) & 1)) >>> 13); // a carry rises into the exponent
}

function roundToEven(x: number): number {
  const low = Math.floor(x);
  const over = x - low;
  return over > 0.5 || (over === 0.5 && low % 2 === 1) ? low + 1 : low;
}
