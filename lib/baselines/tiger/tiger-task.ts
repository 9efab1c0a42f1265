/** What the loop trains of TIGER: the answers' tokens by teacher forcing, validation by the search. */
import * as tf from '@tensorflow/tfjs';
import type { Dataset, Row } from '../../data/dataset.js';
import { itemMetrics } from '../../evaluate/metrics.js';
import type { Result } from '../../evaluate/results-file.js';
import { itemRank } from '../../evaluate/rows/ranks.js';
import { withRanks } from '../../evaluate/statistics/intervals.js';
import { onTape } from '../../ops/tape.js';
import { targetLogProbs } from '../../ops/target-log-probs.js';
import type { ValidRow } from '../../runs/valid-rows.js';
import { InputError } from '../../support/errors.js';
import { startProgress } from '../../support/progress.js';
import { Random } from '../../support/random.js';
import type { MicroBatch } from '../../train/loop/gradients.js';
import type { Task } from '../../train/loop/task.js';
import type { StepDropout } from '../sequence/sequence-model.js';
import { TigerPass } from './tiger-model.js';
import { type TigerModel, tigerSearch, tigerTrie } from './tiger-search.js';
import { disposeTokens, flatTokens } from './tiger-tokens.js';

/** Rows of the search at a time, whatever the batch of training was. */
const ROWS = 32;

const TOP = 10;

/** Options of `tigerTask`. */
export interface TigerTaskOptions {
  batchSize: number;
  dropout: number;
  /** Validation rows that are ranked, drawn once by the seed; 0 for all. */
  validRows: number;
  /** Items of a history, the latest. */
  longest: number;
  seed: number;
}

/** @throws InputError for data without rows of training or validation */
export function tigerTask(
  model: TigerModel,
  { train, valid }: Pick<Dataset, 'train' | 'valid'>,
  options: TigerTaskOptions,
): Task<Row[]> {
  const { batchSize, validRows, dropout: rate, longest, seed } = options;
  for (const [split, rows] of Object.entries({ train, valid })) {
    if (rows.length === 0) throw new InputError(`tiger: expected rows in the ${split} split, got none; filter again`);
  }
  const sample = new Random(`${seed}/valid`).shuffle([...valid]).slice(0, validRows > 0 ? validRows : valid.length);
  let ranked: ValidRow[] | undefined;
  return {
    name: 'tiger',
    batches(epoch) {
      const order = new Random(`${seed}/tiger/${epoch}`).shuffle([...train]);
      const count = Math.ceil(order.length / batchSize);
      return Array.from({ length: count }, (_, i) => order.slice(i * batchSize, (i + 1) * batchSize));
    },
    objective(rows, random) {
      return { microBatches: [tigerLoss(model, rows, longest, rate > 0 ? { random, rate } : undefined)] };
    },
    async validate() {
      const results = await rankByTiger(model, sample, { topK: TOP, longest }, 'validate');
      ranked = withRanks(results, itemRank);
      return itemMetrics(results, [1, 5, TOP]);
    },
    validRows: () => ranked,
  };
}

/** Mean of -log p over the tokens of all answers. */
export function tigerLoss(model: TigerModel, rows: readonly Row[], longest: number, dropout?: StepDropout): MicroBatch {
  const { weights, tokens, precision } = model;
  const read = flatTokens(rows.map(({ history }) => history.slice(-longest).flatMap((item) => tokens.sids[item]!)));
  const answers = rows.map(({ target }) => tokens.sids[target]!);
  const written = flatTokens(answers.map((sid) => [0, ...sid.slice(0, -1)]));
  const labels = Int32Array.from(answers.flat());
  return {
    tokens: read.ids.size + written.ids.size,
    dispose: () => disposeTokens(read, written),
    loss() {
      const logProbs = onTape([...weights.values()], () => {
        const pass = new TigerPass(model, dropout);
        const encoded = pass.encode(read.ids, read.sequences);
        const { ids, sequences } = written;
        const hidden = pass.decode(ids, sequences, sequences, encoded, read.sequences);
        const targets = { row: labels.map((_, i) => i), token: labels };
        return targetLogProbs(hidden, pass.table(), targets, undefined, precision);
      });
      return tf.neg(tf.mean<tf.Scalar>(logProbs));
    },
  };
}

/** What lists a row is given. */
export interface TigerLists {
  /** Items of a list, and beams of a step. */
  topK: number;
  /** Items of a history that are read, the last ones. */
  longest: number;
  /** Whether no list has an item of its row's history. Default false. */
  excludeHistory?: boolean;
}

/** One list a row, best first. */
export async function rankByTiger(
  model: TigerModel,
  rows: readonly Row[],
  { topK, longest, excludeHistory = false }: TigerLists,
  label: string,
): Promise<Result[]> {
  const trie = tigerTrie(model.tokens);
  const progress = startProgress(label, rows.length, 'rows');
  const results: Result[] = [];
  for (let from = 0; from < rows.length; from += ROWS) {
    const some = rows.slice(from, from + ROWS);
    const lists = tigerSearch(
      model,
      trie,
      some.map(({ history }) => history.slice(-longest)),
      topK,
      excludeHistory ? some.map(({ history }) => new Set(history)) : undefined,
    );
    lists.forEach((list, i) => {
      const { user, history, target } = some[i]!;
      results.push({ user, history, target, ...list });
    });
    progress.tick(some.length);
    await new Promise(setImmediate); // computing blocks the event loop: let plots draw and interrupts arrive
  }
  progress.end();
  return results;
}
