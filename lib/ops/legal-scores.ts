/**
 * Logits of a few tokens a row: each row of hidden state times its own rows of the output table, and nothing else of it.
 * A trie allows a dozen continuations of a beam; the vocabulary has 150,000.
 *
 * Where all rows have the same tokens (a search's first step), they are one matrix product. Else the fused implementation
 * is `kernels/tensorflow/ops/legal_scores.cc`; the plain one gathers both factors, a chunk at a time.
 *
 * Shapes: R rows of hidden state, D width, V vocabulary, E tokens of all rows together.
 */
import * as tf from '@tensorflow/tfjs';
import { product, reshaped } from './basic.js';
import { customOp } from './custom-op.js';
import { sumRows } from './embedding.js';
import { chooseImplementation, runFused } from './fused.js';
import { gatherRows, type Table, trainedRows, withTrainedRows } from './split-table.js';

/** The tokens of each row. */
export interface LegalSets {
  /** First of each row's tokens, and E at the end: ascending, from 0 [R + 1]. */
  start: Int32Array;
  /** Token ids, each in [0, V) [E]. */
  token: Int32Array;
}

/** Numbers that the plain implementation gathers at a time. */
const CHUNK = 1 << 22;

/**
 * `hidden[r] @ table[token]` of every token of every row, in their order.
 * @param hidden [R, D] @param table [V, D] @returns [E]
 * @throws Error if `sets` has not the rows of `hidden`, or (fused) a token beyond the table
 */
export function legalScores(hidden: tf.Tensor2D, table: Table, sets: LegalSets): tf.Tensor1D {
  const [rows] = hidden.shape;
  if (sets.start.length !== rows + 1 || sets.start[rows] !== sets.token.length) {
    throw new Error(`legalScores: expected the tokens of ${rows} rows, got those of ${sets.start.length - 1}`);
  }
  const shared = rows > 1 ? sharedTokens(sets) : undefined;
  if (!shared) return separateScores(hidden, table, sets);
  const output = gatherRows(table, tf.tensor1d(shared, 'int32'));
  return reshaped<tf.Rank.R1>(product(hidden, output), [sets.token.length]);
}

/** The tokens that all rows have, in one order; undefined where they differ. */
function sharedTokens({ start, token }: LegalSets): Int32Array | undefined {
  const count = start[1]!;
  for (let r = 1; r < start.length; r++) if (start[r] !== r * count) return undefined;
  for (let e = count; e < token.length; e++) if (token[e] !== token[e - count]) return undefined;
  return token.subarray(0, count);
}

/** A table's frozen rows, then its trained ones; either may be none. */
interface Parts {
  /** [V - n, D] */
  frozen: tf.Tensor;
  /** [n, D] */
  trained: tf.Tensor;
}

/** Which products are asked for. */
interface Places {
  sets: LegalSets;
  /** Row of each token in `frozen` and `trained` laid end to end, int32 [E]. */
  at: tf.Tensor1D;
}

interface Implementation {
  /** @returns [E] */
  forward(hidden: tf.Tensor, parts: Parts, places: Places): tf.Tensor;
  /** @returns gradients of hidden state [R, D] and of the trained rows [n, D] */
  backward(dy: tf.Tensor, hidden: tf.Tensor, parts: Parts, places: Places): tf.Tensor[];
}

const plain: Implementation = {
  forward: (hidden, parts, places) =>
    tf.concat([
      tf.tensor1d([]),
      ...chunks(hidden, places).map((chunk) =>
        tf.tidy(() => tf.sum(tf.mul(tf.gather(hidden, chunk.row), rowsAt(parts, chunk.at)), 1)),
      ),
    ]),
  backward(dy, hidden, parts, places) {
    const width = hidden.shape[1]!;
    const frozen = parts.frozen.shape[0]!;
    const count = frozen + parts.trained.shape[0]!;
    let sums: tf.Tensor[] = [tf.zerosLike(hidden), tf.zeros([count, width])];
    for (const { row, at, from } of chunks(hidden, places)) {
      sums = tf.tidy(() => {
        const own = tf.reshape(tf.slice(dy, from, row.size), [-1, 1]);
        const toHidden = sumRows(tf.mul(own, rowsAt(parts, at)), row, hidden.shape[0]!);
        const toTable = sumRows(tf.mul(own, tf.gather(hidden, row)), at, count);
        return [tf.add(sums[0]!, toHidden), tf.add(sums[1]!, toTable)];
      });
    }
    return [sums[0]!, tf.slice(sums[1]!, frozen)];
  },
};

const fused: Implementation = {
  forward: (hidden, { frozen, trained }, { sets, at }) =>
    runFused('SidlabLegalScores', [hidden, frozen, trained, tf.tensor1d(sets.start, 'int32'), at])[0]!,
  backward: (dy, hidden, { frozen, trained }, { sets, at }) =>
    runFused('SidlabLegalScoresGrad', [dy, hidden, frozen, trained, tf.tensor1d(sets.start, 'int32'), at]),
};

function separateScores(hidden: tf.Tensor2D, table: Table, sets: LegalSets): tf.Tensor1D {
  const { forward, backward } = chooseImplementation('SidlabLegalScores', plain, fused);
  const places = (own: Table): { parts: Parts; places: Places } => {
    const at = tf.tensor1d(own instanceof tf.Tensor ? sets.token : placesIn(own, sets.token), 'int32');
    return { parts: partsOf(own), places: { sets, at } };
  };
  return customOp<tf.Rank.R1>(
    [hidden, ...trainedRows(table)],
    (hidden, ...rows) => {
      const { parts, places: of } = places(withTrainedRows(table, rows));
      return { value: forward(hidden!, parts, of) };
    },
    (dy, [hidden, ...rows]) => {
      const { parts, places: of } = places(withTrainedRows(table, rows));
      const [dHidden, dTrained] = backward(dy, hidden!, parts, of);
      return rows.length === 0 ? [dHidden] : [dHidden, dTrained];
    },
  );
}

function partsOf(table: Table): Parts {
  if (!(table instanceof tf.Tensor)) return table;
  const none = tf.zeros([0, table.shape[1]]);
  return trainedRows(table).length === 0 ? { frozen: table, trained: none } : { frozen: none, trained: table };
}

/** Frozen rows come first, whatever stands where in the whole table. */
function placesIn({ frozen, trained, first }: Exclude<Table, tf.Tensor>, token: Int32Array): Int32Array {
  const [before, count] = [frozen.shape[0], trained.shape[0]];
  return token.map((id) => (id < first ? id : id < first + count ? before + id - first : id - count));
}

/** @returns [e, D] */
function rowsAt({ frozen, trained }: Parts, at: tf.Tensor1D): tf.Tensor {
  const count = frozen.shape[0]!;
  if (count === 0) return tf.gather(trained, at);
  if (trained.shape[0] === 0) return tf.gather(frozen, at);
  const isFrozen = tf.less(at, count);
  const old = tf.gather(frozen, tf.minimum(at, tf.scalar(count - 1, 'int32')));
  const fresh = tf.gather(trained, tf.maximum(tf.sub(at, tf.scalar(count, 'int32')), tf.scalar(0, 'int32')));
  return tf.where(tf.expandDims(isFrozen, 1), old, fresh);
}

/** The products in runs of few numbers: row and place of each, and where the run begins. */
function chunks(hidden: tf.Tensor, { sets, at }: Places): { row: tf.Tensor1D; at: tf.Tensor1D; from: number }[] {
  const row = rowOfEach(sets);
  const size = Math.max(1, Math.floor(CHUNK / Math.max(1, hidden.shape[1]!)));
  const runs = [];
  for (let from = 0; from < row.length; from += size) {
    const own = tf.tensor1d(row.subarray(from, from + size), 'int32');
    runs.push({ row: own, at: tf.slice(at, from, own.size), from });
  }
  return runs;
}

/** Row of each token [E]. */
export function rowOfEach({ start, token }: LegalSets): Int32Array {
  const row = new Int32Array(token.length);
  for (let r = 0; r + 1 < start.length; r++) row.fill(r, start[r], start[r + 1]);
  return row;
}
