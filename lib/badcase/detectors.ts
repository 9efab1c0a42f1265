/** The kit's detectors, in the order of the report. A new one is a file in `modes/` and a line here. */
import { COLD_START } from './modes/cold-start.js';
import { LONG_TAIL } from './modes/long-tail.js';
import { SHORT_HISTORY } from './modes/short-history.js';

/** What `badCases` runs where nobody says otherwise; `[...DETECTORS, mine]` adds one of your own. */
export const DETECTORS = [COLD_START, LONG_TAIL, SHORT_HISTORY] as const;
