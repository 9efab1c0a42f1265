/**
 * Models beside the baselines over the same rows, by the paired test: whoever trains a model that counting beats should
 * hear it from the run, not find it out.
 */
import type { Dataset, Row } from '../../data/dataset.js';
import { ndcg } from '../measures/ranking.js';
import { readResults, type Result } from '../results-file.js';
import { rowTable, type RowEntry } from '../rows/row-table.js';
import { compareTables, type Comparison, otherRow } from '../statistics/compare.js';

/**
 * Ranks items for rows without a model, by name; rooms above know who can.
 * @param rows to rank for: of them history and user @param topK length of the lists
 */
export type RankBaselines = (
  dataset: Dataset,
  rows: readonly Row[],
  topK: number,
) => Promise<Readonly<Record<string, readonly Result[]>>>;

/** The same, which ranks the same rows of a data set only once: several files of a command are often of the same. */
export function rememberRanking(rank: RankBaselines): RankBaselines {
  let last: { of: string; rows: readonly Row[]; topK: number; found: ReturnType<RankBaselines> } | undefined;
  return (dataset, rows, topK) => {
    const of = JSON.stringify([dataset.dir, dataset.name, dataset.parts !== undefined]);
    if (last?.of !== of || last.topK !== topK || otherRow(last.rows, rows) !== undefined) {
      last = { of, rows, topK, found: rank(dataset, rows, topK) };
    }
    return last.found;
  };
}

/** A model beside a baseline. */
export interface BesideBaseline extends Comparison {
  model: string;
  baseline: string;
}

const K = 10;

/** NDCG@10 of a model less that of a baseline over the same rows; of shorter lists at their length. */
export function besideBaseline(
  model: string,
  rows: readonly RowEntry[],
  baseline: string,
  others: readonly RowEntry[],
  k = K,
): BesideBaseline[] {
  return compareTables(rows, others, { [`NDCG@${k}`]: ndcg(k) }).map((found) => ({ model, baseline, ...found }));
}

/**
 * NDCG@10 of each model less that of each baseline. A model that ranked other rows (of a task about items) is left out.
 * @param models results files by name @param baselines likewise
 */
export async function besideBaselines(
  models: Readonly<Record<string, string>>,
  baselines: Readonly<Record<string, string>>,
): Promise<BesideBaseline[]> {
  const read = async (files: Readonly<Record<string, string>>): Promise<[string, RowEntry[]][]> => {
    const tables: [string, RowEntry[]][] = [];
    for (const [name, file] of Object.entries(files)) tables.push([name, rowTable(await readResults(file))]);
    return tables;
  };
  const counted = await read(baselines);
  return (await read(models)).flatMap(([model, rows]) =>
    counted
      .filter(([, other]) => otherRow(rows, other) === undefined)
      .flatMap(([baseline, other]) => besideBaseline(model, rows, baseline, other)),
  );
}

/** A line for each baseline that a model is below: whether it is by more than chance. */
export function belowBaselines(beside: readonly BesideBaseline[]): string[] {
  return beside
    .filter(({ difference }) => difference < 0)
    .map(({ model, baseline, metric, a, b, p, verdict }) => {
      const how = verdict === 'worse' ? 'worse than' : 'below';
      const sure = verdict === 'worse' ? '' : ', which may be chance';
      return `${model} is ${how} the baseline ${baseline}${sure}: ${metric} ${a.toFixed(4)}, it has ${b.toFixed(4)} (p ${p.toPrecision(2)})`;
    });
}
