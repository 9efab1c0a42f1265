/**
 * Full ranking: every item of the catalogue is scored for every row. Rows are ranked so many at a time whatever the
 * batch of training was, so that lists and metrics do not depend on it. Ties go to the item of the lower id; items of the
 * history stay candidates.
 *
 * Shapes: B rows, D width, V items.
 */
import * as tf from '@tensorflow/tfjs';
import type { Row } from '../../data/dataset.js';
import type { Result } from '../../evaluate/results-file.js';
import type { Weights } from '../../lm/weights.js';
import { startProgress } from '../../support/progress.js';
import { ITEM_TABLE, type SequenceModel } from './sequence-model.js';

/** Rows at a time. */
const ROWS = 512;

/** A model with its weights. */
export interface TrainedSequence {
  model: SequenceModel;
  weights: Weights;
}

/** One list of `topK` items a row, best first. */
export async function rankItems(
  trained: TrainedSequence,
  rows: readonly Row[],
  topK: number,
  label: string,
): Promise<Result[]> {
  const progress = startProgress(label, rows.length, 'rows');
  const results: Result[] = [];
  for (let from = 0; from < rows.length; from += ROWS) {
    const some = rows.slice(from, from + ROWS);
    results.push(...rankSome(trained, some, topK));
    progress.tick(some.length);
    await new Promise(setImmediate); // computing blocks the event loop: let plots draw and interrupts arrive
  }
  progress.end();
  return results;
}

function rankSome(trained: TrainedSequence, rows: readonly Row[], topK: number): Result[] {
  const histories = rows.map(({ history }) => history);
  const top = tf.tidy(() => {
    const scores = scoreItems(trained, histories);
    return tf.topk(scores, Math.min(topK, scores.shape[1]));
  });
  const [values, indices] = [top.values.dataSync<'float32'>(), top.indices.dataSync<'int32'>()];
  tf.dispose([top.values, top.indices]);
  const each = values.length / rows.length;
  return rows.map(({ user, history, target }, b) => ({
    ...{ user, history, target },
    items: [...indices.subarray(b * each, (b + 1) * each)],
    scores: [...values.subarray(b * each, (b + 1) * each)],
  }));
}

/** Within `tf.tidy`. @param histories item ids, oldest first @returns [B, V] */
export function scoreItems(
  { model, weights }: TrainedSequence,
  histories: readonly (readonly number[])[],
): tf.Tensor2D {
  const prepared = model.prepare(histories.map((history) => history.slice(-model.longest)));
  const hidden = model.encode(weights, prepared);
  const table = weights.get(ITEM_TABLE)! as tf.Tensor as tf.Tensor2D;
  const scores = tf.matMul<tf.Tensor2D>(hidden, table, false, true);
  prepared.dispose();
  return scores;
}
