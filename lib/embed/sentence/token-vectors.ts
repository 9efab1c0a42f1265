/**
 * Token ids of texts -> a vector a token, for what compares texts token by token.
 *
 * In batches of like length as in `encodeTexts`. Token vectors take hundreds of times the memory of text vectors, so the
 * caller asks for a part of its texts at a time and drops them.
 *
 * Shapes: B texts of a batch, T tokens (of the longest in a batch, of a text in what is returned), D width.
 */
import type { Vectors } from '../../files/npy.js';
import { InputError } from '../../support/errors.js';
import type { LengthBatchesOptions } from '../embed-options.js';
import { lengthBatches } from './length-batches.js';
import type { SentenceEncoder } from './sentence-encoder.js';

/** What token vectors need of an encoder; every `SentenceEncoder` is one. */
export type TokenEncoder = Pick<SentenceEncoder, 'name' | 'special' | 'tokenize' | 'encodeTokens'>;

/**
 * @param ids token ids of each text, special tokens included
 * @returns [T, D] of each text, in the order of `ids`; a text without a token has no rows
 * @throws InputError where a batch fails or gives numbers that are not finite
 */
export async function tokenVectors(
  encoder: TokenEncoder,
  ids: readonly (readonly number[])[],
  options: LengthBatchesOptions = {},
): Promise<Vectors[]> {
  const vectors: Vectors[] = ids.map(() => ({ rows: 0, width: 0, data: new Float32Array(0) }));
  const open = [...ids.keys()].filter((i) => ids[i]!.length > 0);
  const lengths = open.map((i) => ids[i]!.length);
  for (const batch of lengthBatches(lengths, options)) {
    const texts = batch.map((i) => open[i]!);
    const { data, width } = await encodeBatch(
      encoder,
      texts.map((i) => ids[i]!),
    );
    const stride = data.length / texts.length; // T * D
    texts.forEach((i, b) => {
      const rows = ids[i]!.length;
      const own = data.slice(b * stride, b * stride + rows * width);
      if (!own.every(Number.isFinite)) {
        throw new InputError(
          `embed: ${encoder.name} gives a token a number that is not finite; try the model's fp32 file`,
        );
      }
      vectors[i] = { rows, width, data: own };
    });
  }
  return vectors;
}

async function encodeBatch(encoder: TokenEncoder, batch: readonly (readonly number[])[]) {
  try {
    return await encoder.encodeTokens(batch);
  } catch (error) {
    if (error instanceof InputError) throw error;
    const reason = (error as Error).message.split('\n')[0];
    throw new InputError(
      `embed: ${encoder.name} failed on ${batch.length} texts of up to ${batch[0]!.length} tokens: ${reason}; a smaller tokenBudget takes less memory`,
    );
  }
}
