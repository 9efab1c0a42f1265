/** The kit's strategies, in the order in which they change a configuration where several are called for alike. */
import { COLD_START } from './kit/cold-start.js';
import { EXCLUDE_HISTORY } from './kit/exclude-history.js';
import { HYPERPARAMETER } from './kit/hyperparameter.js';
import { LONG_TAIL } from './kit/long-tail.js';
import { RECENCY_BIAS } from './kit/recency-bias.js';
import { SHORT_HISTORY } from './kit/short-history.js';
import { SID_QUALITY } from './kit/sid-quality.js';
import type { Strategy } from './strategy.js';

/** All of them; a new one is a file in `kit/` and a line here. */
export const STRATEGIES: readonly Strategy[] = [
  SID_QUALITY,
  COLD_START,
  LONG_TAIL,
  SHORT_HISTORY,
  RECENCY_BIAS,
  EXCLUDE_HISTORY,
  HYPERPARAMETER,
];
