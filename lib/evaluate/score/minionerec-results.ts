/**
 * `final_result_*.json` of MiniOneRec's evaluate.py: a list of `{input, output, predict}`, the prompt's input, the
 * target's SID and the list of generated SIDs, with blanks, line ends and quotes around them. It names neither users nor
 * items: each row counts as a user of its own, and what is ranked are SIDs.
 *
 * Its own metrics (calc.py) are beside ours: the rank is the place of the first text equal to the target, whatever
 * comes twice before it, and a text that is no item is counted only up to there.
 */
import type { SidIndex } from '../../data/sid-index.js';
import { readJson } from '../../files/files.js';
import { InputError } from '../../support/errors.js';
import { ksUpTo } from '../measures/ranking.js';
import { type Metrics, rankMetrics } from '../metrics.js';
import type { Result } from '../results-file.js';
import { itemRank } from '../rows/ranks.js';

/** MiniOneRec's results in the kit's form. */
export interface MiniOneRecResults {
  /** Ids are numbers of SIDs, not of items; `history` has those of the prompt's input; there are no scores. */
  results: Result[];
  /** The SID of each id. */
  sids: string[];
  /** What calc.py prints. */
  calc: CalcMetrics;
}

/** What calc.py prints. */
export interface CalcMetrics {
  /** HR and NDCG by place of the text. */
  metrics: Metrics;
  /** Texts that are no item, up to the hit of their row; undefined without an index. */
  invalid?: number;
}

/** SIDs by number; files that are compared share one. */
export interface SidNumbers {
  sids: string[];
  ids: Map<string, number>;
}

const SID = /(?:<[a-z]_\d+>)+/g;

/**
 * @param index of the catalogue, for counting texts that are no item
 * @param numbers of SIDs that other files have already; new ones are added
 * @throws InputError for a file of another form: file, row and mend
 */
export function readMiniOneRec(
  path: string,
  index?: SidIndex,
  { sids, ids }: SidNumbers = { sids: [], ids: new Map() },
): MiniOneRecResults {
  const rows = readJson<unknown>(path, 'check the path');
  if (!Array.isArray(rows) || rows.length === 0) {
    throw new InputError(`${path}: expected a list of rows, got ${rows instanceof Array ? 'none' : typeof rows}`);
  }
  const idOf = (sid: string): number => {
    const known = ids.get(sid);
    if (known !== undefined) return known;
    ids.set(sid, sids.length);
    return sids.push(sid) - 1;
  };
  const results = rows.map((row: unknown, i): Result => {
    const { input, output, predict } = fields(row, `${path}: row ${i + 1}`);
    return {
      user: `row ${i + 1}`,
      history: (input.match(SID) ?? []).map(idOf),
      target: idOf(output),
      items: predict.map(idOf),
      scores: [],
    };
  });
  return { results, sids, calc: calcMetrics(results, sids, index) };
}

function fields(row: unknown, where: string): { input: string; output: string; predict: string[] } {
  const { input, output, predict } = (row ?? {}) as Record<string, unknown>;
  const target: unknown = Array.isArray(output) ? output[0] : output;
  if (typeof target !== 'string' || !Array.isArray(predict) || !predict.every((text) => typeof text === 'string')) {
    throw new InputError(`${where}: expected output (a SID) and predict (a list of texts); is it of evaluate.py?`);
  }
  return { input: typeof input === 'string' ? input : '', output: bare(target), predict: predict.map(bare) };
}

/** A SID without what surrounds it. */
function bare(text: string): string {
  return text.replace(/^[\s"]+|[\s"]+$/g, '');
}

function calcMetrics(results: readonly Result[], sids: readonly string[], index?: SidIndex): CalcMetrics {
  const ranks = results.map(itemRank);
  const metrics = rankMetrics(ranks, ksUpTo(results[0]!.items.length));
  if (!index) return { metrics };
  const known = new Set(index.map((tokens) => tokens.join('')));
  let invalid = 0;
  results.forEach(({ items }, i) => {
    const looked = ranks[i]! > 0 ? items.slice(0, ranks[i]) : items;
    invalid += looked.filter((id) => !known.has(sids[id]!)).length;
  });
  return { metrics, invalid };
}
