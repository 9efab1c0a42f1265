/** What is said before a run: what it will take, where it is not over in seconds. */
import type { Cluster } from '../../cluster/cluster.js';
import type { LanguageModel } from '../../lm/language-model.js';
import { tell } from '../../support/progress.js';
import {
  type EstimateOptions,
  estimateRun,
  estimateText,
  refuseIfTooLarge,
  type RunEstimate,
} from '../report/estimate.js';
import type { Task } from './task.js';

/** Runs that take no longer than this are not announced, seconds. */
const SHORT = 10;

/** What `announce` needs of a run's options. */
export interface AnnounceOptions extends Omit<EstimateOptions, 'shards'> {
  /** Processes that train together. Default this one alone. */
  cluster?: Cluster | undefined;
  /** Whether these processes split the optimizer's state. Default false. */
  shardOptimizer?: boolean;
  /** Receives the sentence. Default `tell`. */
  say?: (line: string) => void;
}

/** Says what a run will take, if its task can be estimated. @throws InputError if it cannot fit into the machine's memory */
export function announce<Batch>(model: LanguageModel, task: Task<Batch>, options: AnnounceOptions): void {
  if (!task.batchSizes) return;
  const { say = tell, cluster, shardOptimizer = false } = options;
  const processes = cluster?.size ?? 1;
  const shards = shardOptimizer ? processes : 1;
  const estimate = estimateRun(model, task, (batch) => task.batchSizes!(batch), { ...options, shards });
  refuseIfTooLarge(task.name, estimate);
  const line = announcement(task.name, estimate, processes);
  if (line !== undefined) say(line);
}

/** The sentence about a run whose work so many processes divide; undefined for a short one. */
export function announcement(name: string, estimate: RunEstimate, processes: number): string | undefined {
  const seconds = estimate.seconds / processes;
  return seconds > SHORT ? estimateText(name, { ...estimate, seconds }) : undefined;
}
