/** How many updates a run makes, how many of them warm up, and after which it validates. */
import { InputError } from '../../support/errors.js';

/** How long a run is, and when it validates. */
export interface StepPlanOptions {
  /** Passes over the data; a fraction stops within the last one. */
  epochs: number;
  /** Updates of linear rise. Default 0. */
  warmupSteps?: number;
  /** The same as a share of all updates, in [0, 1], rounded up; used where it is above 0. Default 0. */
  warmupRatio?: number;
  /** Updates between validations; 0 asks `evalEpochs`. Default 0. */
  evalSteps?: number;
  /** Epochs between validations; at least an update. Default 1. */
  evalEpochs?: number;
}

/** Updates in all, of the warm-up, and between validations. */
export interface StepPlan {
  /** Updates in all. */
  total: number;
  /** Updates of linear rise. */
  warmup: number;
  /** Updates between validations. */
  evalSteps: number;
}

/**
 * @param batchesOf the number of batches of an epoch; epochs may differ where batches are filled by tokens
 * @throws InputError if an option is out of range, or both ways of warming up are given
 *
 * @example planSteps(() => 10, { epochs: 2.5, warmupRatio: 0.1, evalEpochs: 0.5 }) // total 25, warmup 3, evalSteps 5
 */
export function planSteps(batchesOf: (epoch: number) => number, options: StepPlanOptions): StepPlan {
  const { epochs, warmupSteps = 0, warmupRatio = 0, evalSteps = 0, evalEpochs = 1 } = options;
  const check = (flag: string, value: number, fits: boolean, what: string): void => {
    if (!fits) throw new InputError(`--${flag}: expected ${what}, got ${value}`);
  };
  check('epochs', epochs, epochs > 0, 'a positive number');
  check('warmup-ratio', warmupRatio, warmupRatio >= 0 && warmupRatio <= 1, 'a share in [0, 1]');
  check('warmup-steps', warmupSteps, Number.isInteger(warmupSteps) && warmupSteps >= 0, 'a whole number');
  check('eval-steps', evalSteps, Number.isInteger(evalSteps) && evalSteps >= 0, 'a whole number');
  check('eval-epochs', evalEpochs, evalEpochs > 0, 'a positive number');
  if (warmupRatio > 0 && warmupSteps > 0) {
    throw new InputError('--warmup-ratio: expected it or --warmup-steps, got both; set the other to 0');
  }
  const total = steps(batchesOf, epochs);
  return {
    total,
    warmup: warmupRatio > 0 ? Math.ceil(warmupRatio * total) : warmupSteps,
    evalSteps: evalSteps > 0 ? evalSteps : Math.max(1, Math.round(batchesOf(0) * evalEpochs)),
  };
}

function steps(batchesOf: (epoch: number) => number, epochs: number): number {
  const whole = Math.floor(epochs);
  let total = 0;
  for (let epoch = 0; epoch < whole; epoch++) total += batchesOf(epoch);
  const rest = epochs - whole;
  const last = rest > 0 ? batchesOf(whole) : 0;
  return total + (last > 0 ? Math.max(1, Math.round(rest * last)) : 0);
}
