/**
 * Where a pipeline's data come from: raw reviews (`filter`, of a sample too), MiniOneRec's published files (`import`) or
 * data folders that are there (`join`).
 */
import { existsSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { ImportConvertedOptions } from '../data/import-options.js';
import { importConverted, type ImportConvertedReport } from '../data/import-converted.js';
import { joinDatasets, joinOutputs, type JoinReport } from '../data/join/join-datasets.js';
import type { JoinOptions } from '../data/join/join-options.js';
import { findName } from '../data/load.js';
import { InputError } from '../support/errors.js';

/** The stage that a pipeline's data come from. */
export type SourceName = 'filter' | 'import' | 'join';

/** What a configuration says of it. */
export interface SourceConfig {
  out: string;
  dataset: string;
  import?: Omit<ImportConvertedOptions, 'out' | 'dataset'>;
  join?: Omit<JoinOptions, 'out' | 'dataset'>;
}

/** A stage as `runStage` takes it. */
export interface SourceStage<T> {
  options: unknown;
  inputs: string[];
  outputs: string[];
  work: () => T | Promise<T>;
}

/** @param config one that `checkSource` has let pass */
export function sourceOf(config: Pick<SourceConfig, 'import' | 'join'>): SourceName {
  return config.import ? 'import' : config.join ? 'join' : 'filter';
}

/** @throws InputError where data come from two places, or options are of one that they do not come from */
export function checkSource(config: Readonly<Record<string, unknown>>, source: string): void {
  const { reviews } = (config.filter ?? {}) as { reviews?: string };
  const named = [
    ...(config.sample === undefined ? [] : ['sample']),
    ...(reviews === undefined || config.sample !== undefined ? [] : ['filter.reviews']),
    ...['import', 'join'].filter((stage) => config[stage] !== undefined),
  ];
  if (named.length > 1) {
    throw new InputError(`${source}: expected data from one place, got ${named.join(' and ')}; leave all but one out`);
  }
  const [other] = ['import', 'join'].filter((stage) => config[stage] !== undefined);
  const [option] = Object.keys(config.filter ?? {});
  if (other === undefined || option === undefined) return;
  throw new InputError(`${source}: filter.${option}: nothing is filtered where data come from ${other}; leave it out`);
}

/** Published files -> items, rows, index. @throws InputError as `importConverted` */
export function importStage({ out, dataset, import: given }: SourceConfig): SourceStage<ImportConvertedReport> {
  const { converted } = given!;
  const suffixes = ['item.json', 'index.json', 'train.inter', 'valid.inter', 'test.inter'];
  return {
    options: given,
    inputs: filesBelow(converted),
    outputs: suffixes.map((suffix) => join(out, `${dataset}.${suffix}`)),
    work: () => importConverted({ ...given!, out, dataset }),
  };
}

/** Data folders -> one. @throws InputError as `joinDatasets` */
export function joinStage({ out, dataset, join: given }: SourceConfig): SourceStage<JoinReport> {
  const files = given!.data.flatMap((folder) => {
    const name = findName(folder);
    return readdirSync(folder)
      .filter((file) => file.startsWith(`${name}.`) && /\.(item\.json|inter|times)$/.test(file))
      .map((file) => join(folder, file));
  });
  return {
    options: given,
    inputs: files.sort(),
    outputs: joinOutputs(out, dataset),
    work: () => joinDatasets({ ...given!, out, dataset }),
  };
}

/** Files of a folder and of the folders in it; none where it is missing, which the stage says. */
function filesBelow(folder: string): string[] {
  if (!existsSync(folder) || !statSync(folder).isDirectory()) return [];
  const inside = (dir: string): string[] =>
    readdirSync(dir, { withFileTypes: true }).flatMap((entry) => (entry.isFile() ? [join(dir, entry.name)] : []));
  const folders = readdirSync(folder, { withFileTypes: true }).filter((entry) => entry.isDirectory());
  const kinds = folders.filter(({ name }) => ['train', 'valid', 'test', 'info', 'index'].includes(name));
  return [folder, ...kinds.map(({ name }) => join(folder, name))].flatMap(inside).sort();
}
