/** What the training loop takes, and what it gives back. */
import type { Cluster } from '../../cluster/cluster.js';
import type { MetricLine } from '../../runs/metric-lines.js';
import type { Schedule } from '../../support/schedule.js';
import type { OptimizerOptions } from '../optim/optimizer.js';
import type { StepPlanOptions } from './step-plan.js';

/** Options of `train`. */
export interface LoopOptions extends Omit<OptimizerOptions, 'sumGradients' | 'sharding'>, StepPlanOptions {
  /** At the peak. */
  learningRate: number;
  /** After the warm-up. */
  schedule: Schedule;
  /** Validate before the first step too, so that the start can be the best. */
  evalStart: boolean;
  /** Validation metric that decides which model is the best; larger is better, but of losses (`smallerIsBetter`). */
  bestMetric: string;
  /** Stop after so many validations without a better one; 0 never stops. */
  patience: number;
  /** Checkpoints kept while training; more than one stay when it is done. */
  keep: number;
  /** Keep the model of the last step too, in `last/`. Default false. */
  keepLast?: boolean;
  /** Of everything random. */
  seed: number;
  /** How a model is saved to a folder. Default whole, in the Hugging Face layout. */
  save?: (folder: string) => void;
  /** Receives a sentence about what the run will take, before one that is not over in seconds. Default `tell`. */
  say?: (line: string) => void;
  /** Processes that train together. Default this one alone. */
  cluster?: Cluster | undefined;
  /** Whether these processes split the optimizer's state (ZeRO-1). Default false. */
  shardOptimizer?: boolean;
  /** In which type gradients are sent between them. Default float32. */
  gradientDtype?: 'float32' | 'bfloat16';
  /** What is validated and kept is a moving average of the weights, of which this share stays at an update. Default 0: the weights. */
  averageDecay?: number;
  /** Called after each step and validation, for a plot that draws while training. */
  onLog?: (lines: readonly MetricLine[]) => void;
}

/** What a training run gives back. */
export interface TrainReport {
  /** Updates in all. */
  steps: number;
  /** Through the model. */
  tokens: number;
  /** Of training. */
  seconds: number;
  /** Step and validation metrics of the best model. */
  best: { step: number; metrics: Record<string, number> };
  /** Folder of the best model. */
  model: string;
}
