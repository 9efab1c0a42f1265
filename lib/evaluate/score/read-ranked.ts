/** Any results file, checked: the kit's own, or MiniOneRec's. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Dataset } from '../../data/dataset.js';
import { indexOf, loadDataset } from '../../data/load.js';
import { readIndex, type SidIndex } from '../../data/sid-index.js';
import { hashFile, readJson } from '../../files/files.js';
import { readHead } from '../../files/text-blocks.js';
import { InputError } from '../../support/errors.js';
import { readResults, type Result } from '../results-file.js';
import type { Provenance } from '../results-place.js';
import { checkResultLists } from './check-result-lists.js';
import { type CalcMetrics, readMiniOneRec, type SidNumbers } from './minionerec-results.js';

/** What the results are checked against, and what features come from. */
export interface Catalogue {
  dataset?: Dataset;
  index?: SidIndex;
  /** Of the index, where there is one. */
  indexFile?: string;
  /** Of the texts of MiniOneRec's files. */
  numbers: SidNumbers;
}

/** A results file in memory. */
export interface RankedFile {
  /** Path. */
  file: string;
  /** SHA-256. */
  sha256: string;
  kind: 'results' | 'minionerec';
  results: Result[];
  /** For SID ranks: the catalogue's, or that of MiniOneRec's texts. */
  index?: SidIndex;
  /** Length of the longest list. */
  longest: number;
  /** What calc.py of MiniOneRec prints of its file. */
  calc?: CalcMetrics;
  /** What lies beside the kit's own results, where it does. */
  provenance?: Provenance;
}

/** @throws InputError for files that are missing or do not fit one another */
export async function readCatalogueFiles(options: {
  data?: string | undefined;
  dataset?: string | undefined;
  index?: string | undefined;
}): Promise<Catalogue> {
  const { data, dataset: name, index: given } = options;
  const dataset = data === undefined ? undefined : await loadDataset(data, name);
  const own = dataset && indexOf(dataset);
  const indexFile = given ?? (own !== undefined && existsSync(own) ? own : undefined);
  return {
    numbers: { sids: [], ids: new Map() },
    ...(dataset && { dataset }),
    ...(indexFile !== undefined && { index: readIndex(indexFile, dataset?.items.length), indexFile }),
  };
}

/**
 * @throws InputError for a file that is damaged or cut short, of another catalogue, or whose lists are no rankings:
 *   file, row and mend
 */
export async function readRanked(file: string, catalogue: Catalogue): Promise<RankedFile> {
  const head = (await readHead(file)).trimStart();
  if (head.startsWith('[')) {
    const { results, sids, calc } = readMiniOneRec(file, catalogue.index, catalogue.numbers);
    const index = sids.map((sid) => [sid]);
    return { file, sha256: hashFile(file), kind: 'minionerec', results, index, longest: longestList(results), calc };
  }
  const results = await readResults(file);
  const provenance = readProvenance(file);
  const { dataset, index } = catalogue;
  if (provenance) checkProvenance(file, provenance, results.length, catalogue);
  checkResultLists(file, results, dataset?.items.length ?? index?.length);
  return {
    ...{ file, sha256: hashFile(file), kind: 'results', results, longest: longestList(results) },
    ...(index && { index }),
    ...(provenance && { provenance }),
  };
}

function longestList(results: readonly Result[]): number {
  let longest = 0;
  for (const { items } of results) longest = Math.max(longest, items.length);
  return longest;
}

function readProvenance(file: string): Provenance | undefined {
  const beside = file.replace(/(\.jsonl)?$/, '.json');
  if (beside === file || !existsSync(beside)) return undefined;
  const found = readJson<Partial<Provenance> | null>(beside);
  return typeof found?.rows === 'number' && typeof found.inputs === 'object' ? (found as Provenance) : undefined;
}

/** Same bytes, same catalogue: ids of another one may be in range and mean other items. */
function checkProvenance(file: string, { rows, inputs }: Provenance, found: number, catalogue: Catalogue): void {
  if (rows !== found) {
    throw new InputError(`${file}: expected ${rows} rows, as the file beside it says, got ${found}; evaluate again`);
  }
  const { dataset, indexFile } = catalogue;
  const items = dataset && `${dataset.name}.item.json`;
  const given: [string, string][] = [
    ...(dataset && items ? [[items, join(dataset.dir, items)] as [string, string]] : []),
    ...(indexFile !== undefined ? [['index', indexFile] as [string, string]] : []),
  ];
  for (const [name, path] of given) {
    const was =
      name === 'index' ? inputs[name] : Object.entries(inputs).find(([key]) => key.endsWith('.item.json'))?.[1];
    if (was !== undefined && was !== hashFile(path)) {
      throw new InputError(`${file}: ranked with another ${name} than ${path}; give the one that it was ranked with`);
    }
  }
}
