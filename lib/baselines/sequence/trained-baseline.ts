/** An architecture as one of the baselines; what trains it is loaded when it is asked for. */
import type { Baseline, BaselineOptions } from '../baseline.js';
import type { Architecture } from './architecture.js';
import type { SequenceSettings } from './sequence-options.js';

/** Trains where that is not done, then ranks. */
export function trainedBaseline<N extends string>(architecture: Architecture<N>): Baseline<N> {
  const { name, help, options } = architecture;
  return {
    name,
    help,
    options,
    rank: async (_train, _test, settings, context) => {
      const { trainAndRank } = await import('./train-sequence.js');
      return trainAndRank(architecture, settings as BaselineOptions & SequenceSettings, context);
    },
  };
}
