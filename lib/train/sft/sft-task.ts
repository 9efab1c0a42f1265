/**
 * What supervised fine-tuning trains, for the loop: examples of a mix of tasks in batches, the loss on their answers,
 * and validation by loss and ranking.
 */
import type { Cluster } from '../../cluster/cluster.js';
import type { Row } from '../../data/dataset.js';
import type { Recommender } from '../../evaluate/recommender.js';
import type { LanguageModel } from '../../lm/language-model.js';
import { InputError } from '../../support/errors.js';
import { Random } from '../../support/random.js';
import { cutInto } from '../../tasks/examples.js';
import type { Renderer } from '../../tasks/prompts.js';
import type { ExampleReference, TaskSet } from '../../tasks/task-set.js';
import type { MicroBatch } from '../loop/gradients.js';
import type { BatchSizes, Task } from '../loop/task.js';
import { validator } from '../loop/validate.js';
import { exampleBlocks, heldOutLoss, meanLoss } from './held-out-loss.js';
import { byTokens, hasMasks, packMicroBatches, sftMicroBatches, tokensOf } from './micro-batches.js';

/** Options of `sftTask`. */
export interface SftTaskOptions {
  /** Examples an update. */
  batchSize: number;
  /** Tokens a batch, in place of `batchSize`. Default 0, by examples. */
  batchTokens?: number;
  /** Tokens that go through the model at once. */
  tokenBudget: number;
  /** Default false. */
  layerCheckpointing?: boolean;
  /** In [0, 1). */
  dropout: number;
  /** Validation rows that are ranked; 0 for all. */
  validRows: number;
  /** Of order, prompts and validation rows. */
  seed: number;
}

/** Held-out rows of a task, whose answers' loss is measured. */
export interface HeldOut {
  /** Of the task. */
  name: string;
  rows: readonly Row[];
  render: Renderer;
}

/** What is measured on held-out rows. */
export interface Validation {
  /** One loss each, and the loss of all together; a task that has no rows has no loss. */
  heldOut: readonly HeldOut[];
  /** The rows that are ranked, and what ranks them; absent where no task answers with a SID. */
  ranking?: { recommender: Recommender; rows: readonly Row[] };
}

/** Its objective is there at once, and its micro-batches are a list. */
export interface SftTask extends Task<ExampleReference[]> {
  objective(
    batch: ExampleReference[],
    random: Random,
    step?: number,
    cluster?: Cluster,
  ): { microBatches: MicroBatch[]; metrics?: Record<string, number> };
  batchSizes(batch: ExampleReference[]): BatchSizes<ExampleReference[]>;
}

/**
 * @param renderers one a task of the set
 * @throws InputError where there is no row to validate on: without a loss the first model would pass for the best
 */
export function sftTask(
  model: LanguageModel,
  tasks: TaskSet,
  renderers: readonly Renderer[],
  { heldOut, ranking }: Validation,
  options: SftTaskOptions,
): SftTask {
  const { batchSize, batchTokens = 0, tokenBudget, dropout, layerCheckpointing = false, validRows, seed } = options;
  const rank = ranking && validator(ranking.recommender, ranking.rows, validRows, seed);
  const measured = heldOut.filter(({ rows }) => rows.length > 0);
  if (heldOut.length > 0 && measured.length === 0) {
    const names = heldOut.map(({ name }) => name).join(', ');
    throw new InputError(
      `validation: expected held-out rows of ${names}, got none; filter again with another --split, or take another task`,
    );
  }
  const held = measured.map(({ name, rows, render }) => ({ name, blocks: exampleBlocks(rows, render) }));
  return {
    name: 'sft',
    batches(epoch) {
      const order = new Random(`${seed}/sft/${epoch}`).shuffle(tasks.examples(epoch));
      const size = (reference: ExampleReference): number => tasks.example(reference, renderers).tokens.length;
      return batchTokens > 0 ? byTokens(order, batchTokens, size) : cutInto(order, batchSize);
    },
    objective(references, random, _step, cluster) {
      const batch = references.map((reference) => tasks.example(reference, renderers));
      const masks = cluster ? new Random(`${random.next()}/${cluster.rank}`) : random; // each process has its own
      const options = { tokenBudget, dropout, layerCheckpointing, random: masks, share: cluster };
      const microBatches = sftMicroBatches(model, batch, options);
      const truncated = batch.filter((example) => example.truncated).length;
      return { microBatches, ...(truncated > 0 && { metrics: { truncated } }) };
    },
    batchSizes(references) {
      const batch = references.map((reference) => tasks.example(reference, renderers));
      const tokens = packMicroBatches(batch, tokenBudget, hasMasks(model, dropout)).map(tokensOf);
      return { tokens, examples: references.length, first: (examples) => references.slice(0, examples) };
    },
    async validate(cluster) {
      const losses = held.map(({ name, blocks }) => {
        return { name, ...meanLoss(blocks.map((block) => heldOutLoss(model, block(), tokenBudget, cluster))) };
      });
      const { loss } = meanLoss(losses);
      const each = heldOut.length > 1 ? losses.map((of) => [`loss ${of.name}`, of.loss] as const) : [];
      return { loss, ...Object.fromEntries(each), ...(rank && (await rank(cluster))) };
    },
  };
}
