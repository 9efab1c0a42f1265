/**
 * What the loop trains of a sequence recommender: batches of examples, their loss, validation by full ranking with the
 * evaluation's metrics.
 */
import * as tf from '@tensorflow/tfjs';
import type { Dataset } from '../../data/dataset.js';
import { itemMetrics } from '../../evaluate/metrics.js';
import { itemRank } from '../../evaluate/rows/ranks.js';
import { withRanks } from '../../evaluate/statistics/intervals.js';
import { product } from '../../ops/basic.js';
import { onTape } from '../../ops/tape.js';
import type { ValidRow } from '../../runs/valid-rows.js';
import { InputError } from '../../support/errors.js';
import { Random } from '../../support/random.js';
import type { MicroBatch } from '../../train/loop/gradients.js';
import type { Task } from '../../train/loop/task.js';
import { binaryLoss, propensities, robustLoss, rowScores, targetsLogProbs, withNegatives } from './losses.js';
import { rankItems, type TrainedSequence } from './rank-items.js';
import { type SequenceExample, sequenceExamples } from './sequence-examples.js';
import { ITEM_TABLE } from './sequence-model.js';
import type { SequenceSettings } from './sequence-options.js';

/** Lists of a validation. */
const TOP = 10;

/** Options of `sequenceTask`. */
export type SequenceTaskOptions = Pick<
  SequenceSettings,
  'batchSize' | 'dropout' | 'loss' | 'mode' | 'negatives' | 'droAlpha' | 'droBeta' | 'seed'
>;

/** @param name of the baseline @throws InputError for data without rows of training or validation */
export function sequenceTask(
  name: string,
  trained: TrainedSequence,
  { train, valid }: Pick<Dataset, 'train' | 'valid'>,
  options: SequenceTaskOptions,
): Task<SequenceExample[]> {
  const { batchSize, seed, mode = 'row' } = options;
  for (const [split, rows] of Object.entries({ train, valid })) {
    if (rows.length === 0) throw new InputError(`${name}: expected rows in the ${split} split, got none; filter again`);
  }
  const items = trained.weights.get(ITEM_TABLE)!.shape[0]!;
  const examples = sequenceExamples(train, trained.model.longest, mode);
  const asked = examples.flatMap(({ targets }) => targets);
  const weights = options.droAlpha > 0 ? propensities(asked, items) : undefined;
  let ranked: ValidRow[] | undefined;
  return {
    name,
    batches(epoch) {
      const order = new Random(`${seed}/${name}/${epoch}`).shuffle([...examples]);
      return Array.from({ length: Math.ceil(order.length / batchSize) }, (_, i) =>
        order.slice(i * batchSize, (i + 1) * batchSize),
      );
    },
    objective: (some, random) => ({ microBatches: [microBatch(trained, some, options, random, weights)] }),
    async validate() {
      const results = await rankItems(trained, valid, TOP, 'validate');
      ranked = withRanks(results, itemRank);
      return itemMetrics(results, [1, 5, TOP]);
    },
    validRows: () => ranked,
  };
}

function microBatch(
  { model, weights }: TrainedSequence,
  examples: readonly SequenceExample[],
  { loss, mode, negatives, dropout: rate, droAlpha: alpha, droBeta: beta }: SequenceTaskOptions,
  random: Random,
  propensity?: Float32Array,
): MicroBatch {
  const prepared = model.prepare(examples.map(({ history }) => history));
  const targets = Int32Array.from(examples.flatMap(({ targets }) => targets));
  const encode = mode === 'chain' ? model.encodeAll!.bind(model) : model.encode.bind(model);
  const table = weights.get(ITEM_TABLE)! as tf.Tensor as tf.Tensor2D;
  const drawn = loss === 'binary' ? withNegatives(targets, negatives, table.shape[0], random) : undefined;
  const dropout = rate > 0 ? { random, rate } : undefined;
  const fromHidden = <R extends tf.Rank>(work: (hidden: tf.Tensor2D) => tf.Tensor<R>): tf.Tensor<R> =>
    onTape([...weights.values()], () => work(encode(weights, prepared, dropout)));
  return {
    tokens: prepared.tokens,
    dispose: () => prepared.dispose(),
    loss() {
      if (propensity) {
        const scores = fromHidden((hidden) => product(hidden, table));
        return robustLoss(scores, targets, drawn, { alpha, beta, weights: tf.tensor1d(propensity) });
      }
      if (drawn) return binaryLoss(fromHidden((hidden) => rowScores(hidden, table, drawn)));
      return tf.neg(tf.mean<tf.Scalar>(fromHidden((hidden) => targetsLogProbs(hidden, table, targets))));
    },
  };
}
