/** TIGER as a baseline; what trains it is loaded when it is asked for. */
import type { Baseline, BaselineOptions } from '../baseline.js';
import { TIGER_OPTIONS, type TigerSettings } from './tiger-options.js';

/** The same as one of `BASELINES`. */
export const TIGER: Baseline<'tiger'> = {
  name: 'tiger',
  help: 'an encoder-decoder that writes the SID of the next item (Rajput et al. 2023)',
  options: TIGER_OPTIONS,
  excludesHistory: true,
  rank: async (_train, _test, settings, context) => {
    const { trainTiger } = await import('./train-tiger.js');
    return trainTiger(settings as BaselineOptions & TigerSettings, context);
  },
};
