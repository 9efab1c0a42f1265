/** Histories as flat tokens, for models of attention: items, positions, and the last item of each. */
import * as tf from '@tensorflow/tfjs';
import { type Sequences, sequencesOf } from '../../ops/sequence/padded-rows.js';
import type { PreparedHistories } from './sequence-model.js';

/** N tokens, B histories. */
export interface FlatHistories extends PreparedHistories {
  /** Item of each token, int32 [N]. */
  items: tf.Tensor1D;
  /** Place of each token in its history, int32 [N]. */
  positions: tf.Tensor1D;
  /** The last token of each history, int32 [B]. */
  last: tf.Tensor1D;
  /** Index of each token in `last`, B where it is not the last, int32 [N]. */
  inverse: tf.Tensor1D;
  /** Where each begins. */
  sequences: Sequences;
  /** The last tokens alone, a sequence of one each. */
  ends: Sequences;
}

/**
 * Owned by the caller.
 * @param end position of every history's last item: what padding on the left does. Default: the oldest is at position 0
 */
export function flatHistories(histories: readonly (readonly number[])[], end?: number): FlatHistories {
  const lengths = histories.map(({ length }) => length);
  const tokens = lengths.reduce((sum, n) => sum + n, 0);
  const last = new Int32Array(histories.length);
  const inverse = new Int32Array(tokens).fill(histories.length);
  let so = 0;
  lengths.forEach((length, b) => {
    so += length;
    last[b] = so - 1;
    inverse[so - 1] = b;
  });
  const first = (length: number): number => (end === undefined ? 0 : end + 1 - length);
  const int = (values: Int32Array): tf.Tensor1D => tf.tensor1d(values, 'int32');
  const tensors = {
    items: int(Int32Array.from(histories.flat())),
    positions: int(Int32Array.from(histories.flatMap((history) => history.map((_, i) => first(history.length) + i)))),
    last: int(last),
    inverse: int(inverse),
  };
  const sequences = sequencesOf(lengths);
  const ends = sequencesOf(lengths.map(() => 1));
  return {
    ...tensors,
    sequences,
    ends,
    tokens,
    dispose() {
      tf.dispose([...Object.values(tensors), sequences.starts, ends.starts]);
    },
  };
}
