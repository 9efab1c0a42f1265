/** How near texts are in the space of an encoder: cosine of their vectors. */
import type { Vectors } from '../../files/npy.js';

/** Texts -> vectors [N, D], row = text: any encoder, `textEmbedder` of `lib/embed` or one's own. */
export type Embed = (texts: readonly string[]) => Vectors | Promise<Vectors>;

/**
 * Cosine of each row of one matrix with the same row of another, in [-1, 1]; 0 where either is all zeros.
 * @param a [N, D] @param b [N, D] @returns [N]
 *
 * @example rows [3, 4] and [4, 3]: (3 * 4 + 4 * 3) / (5 * 5) = 0.96
 */
export function rowCosines(a: Vectors, b: Vectors): number[] {
  if (a.rows !== b.rows || a.width !== b.width) {
    throw new Error(`rowCosines: expected [${a.rows}, ${a.width}] twice, got [${b.rows}, ${b.width}]`);
  }
  return Array.from({ length: a.rows }, (_, row) => {
    let [product, squaresA, squaresB] = [0, 0, 0];
    for (let at = row * a.width; at < (row + 1) * a.width; at++) {
      product += a.data[at]! * b.data[at]!;
      squaresA += a.data[at]! ** 2;
      squaresB += b.data[at]! ** 2;
    }
    const lengths = Math.sqrt(squaresA * squaresB);
    return lengths === 0 ? 0 : product / lengths;
  });
}

/** Cosine of each text with its answer. All go through the encoder in one call. @returns [texts] */
export async function textCosines(
  answers: readonly string[],
  texts: readonly string[],
  embed: Embed,
): Promise<number[]> {
  if (texts.length === 0) return [];
  const { rows, width, data } = await embed([...answers, ...texts]);
  if (rows !== answers.length + texts.length) {
    throw new Error(`textCosines: expected ${answers.length + texts.length} vectors, one a text, got ${rows}`);
  }
  const half = answers.length * width;
  return rowCosines(
    { rows: answers.length, width, data: data.subarray(0, half) },
    { rows: texts.length, width, data: data.subarray(half) },
  );
}
