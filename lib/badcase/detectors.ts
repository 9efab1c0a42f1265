/** The kit's detectors, in the order of the report. A new one is a file in `modes/` and a line here. */
import { AMBIGUOUS_SID } from './modes/ambiguous-sid.js';
import { COLD_START } from './modes/cold-start.js';
import { CROWDED_CODE } from './modes/crowded-code.js';
import { DRIFT } from './modes/drift.js';
import { FAR_FROM_HISTORY } from './modes/far-from-history.js';
import { HISTORY_DOES_NOT_FIT } from './modes/history-does-not-fit.js';
import { LIST_OFF_CATEGORY } from './modes/list-off-category.js';
import { LONG_TAIL } from './modes/long-tail.js';
import { LOST_AT_FIRST_CODE } from './modes/lost-at-first-code.js';
import { LOST_AT_LATER_CODE } from './modes/lost-at-later-code.js';
import { NEAR_MISS } from './modes/near-miss.js';
import { POPULARITY_BIAS } from './modes/popularity-bias.js';
import { PREFIX_COMPETITION } from './modes/prefix-competition.js';
import { RECENCY_IGNORED } from './modes/recency-ignored.js';
import { REPEAT_MISSED } from './modes/repeat-missed.js';
import { REPEATS_PUSHED } from './modes/repeats-pushed.js';
import { SEARCH_ERROR } from './modes/search-error.js';
import { SHORT_HISTORY } from './modes/short-history.js';
import { TARGET_OFF_CATEGORY } from './modes/target-off-category.js';

/**
 * What `badCases` runs where nobody says otherwise; `[...DETECTORS, mine]` adds one of your own. Causes come first, then
 * symptoms.
 */
export const DETECTORS = [
  COLD_START,
  LONG_TAIL,
  SHORT_HISTORY,
  AMBIGUOUS_SID,
  CROWDED_CODE,
  DRIFT,
  POPULARITY_BIAS,
  HISTORY_DOES_NOT_FIT,
  FAR_FROM_HISTORY,
  LIST_OFF_CATEGORY,
  RECENCY_IGNORED,
  REPEAT_MISSED,
  REPEATS_PUSHED,
  NEAR_MISS,
  LOST_AT_FIRST_CODE,
  LOST_AT_LATER_CODE,
  PREFIX_COMPETITION,
  TARGET_OFF_CATEGORY,
  SEARCH_ERROR,
] as const;
