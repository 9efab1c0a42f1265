/** The weights of a data folder's training rows, with the files that they need. */
import { existsSync } from 'node:fs';
import type { Dataset } from '../../data/dataset.js';
import { rowTimes, timesFile } from '../../data/row-times.js';
import { rowColumns } from './row-columns.js';
import { rowWeights, type RowWeights } from './row-weights.js';
import { parseWeights, type WeightFactor } from './weight-factors.js';

/** What is asked for. */
export interface LoadWeightsOptions {
  /** Factors, see `weight-factors.ts`; without it there are no weights. */
  rowWeights?: string | undefined;
  /** File of columns. */
  rowColumns?: string | undefined;
}

/** The files that the weights are read from, by name: their hashes are part of a run's. */
export function weightFiles(
  { dir, name }: Pick<Dataset, 'dir' | 'name'>,
  { rowWeights: text, rowColumns }: LoadWeightsOptions,
): Record<string, string> {
  const times = timesFile(dir, name, 'train');
  return {
    ...(rowColumns !== undefined && { columns: rowColumns }),
    ...(text !== undefined && parseWeights(text).some(isTimed) && existsSync(times) && { times }),
  };
}

function isTimed(factor: WeightFactor): boolean {
  return factor.kind === 'recency' && factor.unit === 'days';
}

/** @throws InputError for factors whose times or columns are missing or do not fit */
export function loadWeights(
  dataset: Dataset,
  { rowWeights: text, rowColumns: file }: LoadWeightsOptions,
): RowWeights | undefined {
  if (text === undefined) return undefined;
  const factors = parseWeights(text);
  return rowWeights(factors, {
    ...{ rows: dataset.train, items: dataset.items.length },
    ...(dataset.parts && { parts: dataset.parts.map(({ rows }) => rows.train) }),
    ...(factors.some(isTimed) && { times: rowTimes(dataset, 'train') }),
    ...(file !== undefined && { column: rowColumns(file, dataset.train.length) }),
  });
}
