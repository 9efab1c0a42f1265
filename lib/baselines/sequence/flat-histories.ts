/** Histories as flat tokens, for models of attention: items, positions, and the last item of each. */
import * as tf from '@tensorflow/tfjs';
import { type Sequences, sequencesOf } from '../../ops/sequence/padded-rows.js';
import type { PreparedHistories } from './sequence-model.js';

/** N tokens, B histories. */
export interface FlatHistories extends PreparedHistories {
  /** Item of each token, int32 [N]. */
  items: tf.Tensor1D;
  /** Place of each token in its history, 0 for the oldest, int32 [N]. */
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

/** Owned by the caller. */
export function flatHistories(histories: readonly (readonly number[])[]): FlatHistories {
  const lengths = histories.map(({ length }) => length);
  const tokens = lengths.reduce((sum, n) => sum + n, 0);
  const last = new Int32Array(histories.length);
  const inverse = new Int32Array(tokens).fill(histories.length);
  let end = 0;
  lengths.forEach((length, b) => {
    end += length;
    last[b] = end - 1;
    inverse[end - 1] = b;
  });
  const int = (values: Int32Array): tf.Tensor1D => tf.tensor1d(values, 'int32');
  const tensors = {
    items: int(Int32Array.from(histories.flat())),
    positions: int(Int32Array.from(histories.flatMap((history) => history.map((_, i) => i)))),
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
