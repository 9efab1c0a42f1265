/** What the loop trains. */
import type { ValidRow } from '../../runs/valid-rows.js';
import type { Random } from '../../support/random.js';
import type { MicroBatch } from './gradients.js';

/** The objective of a batch: the losses of its micro-batches add up to the batch's. */
export interface Objective {
  /** Their losses add up to the batch's. */
  microBatches: MicroBatch[];
  /** Logged beside the loss. */
  metrics?: Record<string, number>;
}

/** What a run trains: batches, an objective for each, and how the model is validated. */
export interface Task<Batch> {
  /** Of the stage. */
  name: string;
  /** Batches of an epoch in order; decided by the epoch's number alone. */
  batches(epoch: number): Batch[];
  /** @param random for dropout and sampling; its state is part of a checkpoint */
  objective(batch: Batch, random: Random): Objective;
  /** Validation metrics by name. */
  validate(): Promise<Record<string, number>>;
  /** Rows of the last validation, whose means its metrics are; where they are kept, for tests of a difference. */
  validRows?(): readonly ValidRow[] | undefined;
  /** What an estimate before the run needs; without it there is none. */
  batchSizes?(batch: Batch): BatchSizes<Batch>;
}

/** How large a batch is, for the estimate of a run. */
export interface BatchSizes<Batch> {
  /** Tokens of each of the batch's parts. */
  tokens: number[];
  /** In the batch. */
  examples: number;
  /** A batch of its first examples. */
  first(examples: number): Batch;
}
