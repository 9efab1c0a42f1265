/** What the loop trains. */
import type { Cluster } from '../../cluster/cluster.js';
import type { ValidRow } from '../../runs/valid-rows.js';
import type { Random } from '../../support/random.js';
import type { MicroBatch } from './gradients.js';

/** The objective of a batch: the losses of its micro-batches add up to the batch's. */
export interface Objective {
  /** Their losses add up to the batch's; each is asked for when the one before it is done, and may be made then. */
  microBatches: Iterable<MicroBatch>;
  /** Logged beside the loss; a function is asked when all micro-batches are done. */
  metrics?: Record<string, number> | (() => Record<string, number>);
}

/** What a run trains: batches, an objective for each, and how the model is validated. */
export interface Task<Batch> {
  /** Of the stage. */
  name: string;
  /** Batches of an epoch in order; decided by the epoch's number alone. */
  batches(epoch: number): Batch[];
  /**
   * @param random for dropout and sampling; its state is part of a checkpoint, and the same in all processes
   * @param step the update's number, from 1
   * @param cluster whose processes share the batch: the micro-batches are this one's, their losses divided by what the
   *   whole batch asks for, so that those of all processes add up to the batch's
   */
  objective(batch: Batch, random: Random, step: number, cluster?: Cluster): Objective | Promise<Objective>;
  /** What stands for the objective in an estimate, where the objective itself cannot be had without waiting. */
  probe?(batch: Batch, random: Random): Iterable<MicroBatch>;
  /** Called when an update is made. @param step its number, from 1 */
  updated?(step: number): void;
  /** State beside the model that a resumed run needs, in the files of a checkpoint's folder. */
  state?: TaskState;
  /** Validation metrics by name. @param cluster whose processes share the work; all get the same metrics */
  validate(cluster?: Cluster): Promise<Record<string, number>>;
  /** Rows of the last validation, whose means its metrics are; where they are kept, for tests of a difference. */
  validRows?(): readonly ValidRow[] | undefined;
  /** What an estimate before the run needs; without it there is none. */
  batchSizes?(batch: Batch): BatchSizes<Batch>;
}

/** What a task keeps from update to update. */
export interface TaskState {
  /** Writes its files. */
  save(folder: string): void;
  /** Reads them. @throws InputError for a folder that lacks them */
  restore(folder: string): void;
  /** Process 0's state in all processes, after it was restored there. */
  share?(cluster: Cluster): Promise<void>;
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
