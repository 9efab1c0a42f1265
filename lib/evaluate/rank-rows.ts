/** Ranks the catalogue for rows, a batch after the other: batches that were done before are not done again. */
import type { Cluster } from '../cluster/cluster.js';
import type { Row } from '../data/dataset.js';
import { beamSearch, type BeamSearchOptions, type Ranking } from '../decode/beam-search.js';
import { namingRows } from '../decode/finite-scores.js';
import { defineOptions } from '../options/schema.js';
import { InputError } from '../support/errors.js';
import { startProgress } from '../support/progress.js';
import { cutByTokens } from './cut-by-tokens.js';
import { RANK_OPTIONS, RANK_RULES, type RankOptions } from './evaluate-options.js';
import { logitAdjustment } from './logit-adjustment.js';
import type { PartialResults } from './partial-results.js';
import type { Recommender } from './recommender.js';
import type { Result } from './results-file.js';
import { splitSharedSids } from './shared-sids.js';
import { checkScorer, scorerOf } from './scorer.js';
import type { Shard } from './shard.js';

const SCHEMA = defineOptions('evaluate', RANK_OPTIONS, RANK_RULES);

/** What of the rows is ranked, and what is kept on the way. */
export interface RankRun {
  /** The share of the batches that is this process's. Default all. */
  shard?: Shard | undefined;
  /** Which of the task's wordings, from 1. Default 1. */
  wording?: number;
  /** Where rows that are done are kept, and found again. Default nowhere. */
  partial?: PartialResults | undefined;
  /** Times each item was bought in the training rows [items], for `logitAdjustment`. */
  counts?: ArrayLike<number> | undefined;
  /** Asked after every batch; true leaves the other rows. Default never. */
  stop?: () => boolean;
}

/**
 * One result a row, in the order of the rows.
 * @param run what `logitAdjustment` needs, and the cluster whose processes share the batches: all get all results, the same
 *   bits whatever their number
 * @throws NonFiniteScores (an InputError) that names the row, if its scores are NaN or infinite; InputError for an
 *   assistant of another catalogue
 */
export async function rankRows(
  recommender: Recommender,
  rows: readonly Row[],
  options: RankOptions = {},
  { counts, cluster }: Pick<RankRun, 'counts'> & { cluster?: Cluster | undefined } = {},
): Promise<Result[]> {
  const shard = cluster && { index: cluster.rank + 1, of: cluster.size };
  const own = await rankSome(recommender, rows, options, { shard, counts });
  const results = cluster ? new Map(cluster.exchange([...own]).flat()) : own;
  return rows.map((_, row) => results.get(row)!);
}

/**
 * The results of a run by the rows' places; all of the shard's unless it was stopped. Batches are planned over all rows
 * and dealt to the shards one after the other, so that each row is computed beside the same others whatever the number of
 * shards.
 */
export async function rankSome(
  recommender: Recommender,
  rows: readonly Row[],
  options: RankOptions = {},
  { shard = { index: 1, of: 1 }, wording = 1, partial, counts, stop = () => false }: RankRun = {},
): Promise<Map<number, Result>> {
  const { label = 'evaluate', ...given } = options;
  const { tokenBudget, excludeHistory, scoreTargets, assistant, assistantWeight, ...asked } = SCHEMA.parse(given);
  const { logitAdjustment: tau, sharedSids, ...search } = asked;
  const split = sharedSids === 'split' ? splitSharedSids(recommender.index) : undefined;
  const itemBias = both(adjustment(tau, counts, recommender), split);
  const scorer = scorerOf(assistant);
  checkScorer(scorer, recommender.index.length, 'evaluate: assistant');
  const catalogue = recommender.index.map((_, item) => item);
  const prompts = rows.map(({ history, target }) => recommender.render.prompt(history, target, wording - 1));
  const batches = cutByTokens(prompts, tokenBudget, search.numBeams).filter((_, b) => b % shard.of === shard.index - 1);
  const results = new Map(partial?.done);
  const open = batches.filter((batch) => !batch.every((row) => results.has(row)));
  const count = (some: readonly number[][]): number => some.reduce((sum, { length }) => sum + length, 0);
  const progress = startProgress(label, count(batches), 'rows');
  progress.tick(count(batches) - count(open));
  for (const batch of open) {
    if (stop()) break;
    const of = batch.map((row) => rows[row]!);
    const scores = scorer && (await scorer(of.map(({ history }) => history), of.map(() => catalogue))); // prettier-ignore
    const found = searchBatch(recommender, batch.map((row) => prompts[row]!), {
      ...search,
      ...(excludeHistory && { exclude: of.map(({ history }) => new Set(history)) }),
      ...(scores && { assistant: { scores, weight: assistantWeight } }),
      ...(itemBias ? { itemBias } : scoreTargets && { targets: of.map(({ target }) => target) }),
    }, (i) => `${label}: row ${batch[i]! + 1} of ${rows.length} (user ${JSON.stringify(of[i]!.user)})`); // prettier-ignore
    const done = found.map((ranking, i): Result => {
      const { user, history, target } = of[i]!;
      return { user, history, target, ...ranking };
    });
    partial?.add(batch, done);
    done.forEach((result, i) => results.set(batch[i]!, result));
    progress.tick(batch.length);
    await new Promise(setImmediate); // computing blocks the event loop: let plots draw and interrupts arrive
  }
  progress.end();
  return results;
}

/** @throws InputError where popularity is to count and nobody says what it is */
function adjustment(
  tau: number,
  counts: ArrayLike<number> | undefined,
  { index }: Recommender,
): Float64Array | undefined {
  if (tau === 0) return undefined;
  if (counts?.length !== index.length) {
    throw new InputError(
      `evaluate: logitAdjustment: expected the items' counts in the training rows (${index.length}), got ${counts?.length ?? 'none'}; ` +
        'give counts: trainCounts(dataset.train, dataset.items.length)',
    );
  }
  return logitAdjustment(counts, tau);
}

/** Sum of two numbers an item, where both are there. */
function both(a: Float64Array | undefined, b: Float64Array | undefined): Float64Array | undefined {
  return a && b ? a.map((x, i) => x + b[i]!) : (a ?? b);
}

function searchBatch(
  { model, trie }: Recommender,
  prompts: readonly number[][],
  options: BeamSearchOptions,
  rowName: (i: number) => string,
): Ranking[] {
  return namingRows(rowName, () => beamSearch(model, trie, prompts, options));
}
