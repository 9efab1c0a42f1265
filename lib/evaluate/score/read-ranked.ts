/** Any results file, checked: the kit's own, or MiniOneRec's. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Dataset } from '../../data/dataset.js';
import { type SidIndex } from '../../data/sid-index.js';
import { hashFile, readJson } from '../../files/files.js';
import { readHead } from '../../files/text-blocks.js';
import { InputError } from '../../support/errors.js';
import { eachResult } from '../results-file.js';
import type { Provenance } from '../results-place.js';
import { type RowContext, type RowEntry, rowMaker, rowTable } from '../rows/row-table.js';
import { type Catalogue, catalogueOf, checkUsers, isJoined, rankedIndex } from './catalogue.js';
import { listChecker } from './check-result-lists.js';
import { addTimes, rowsOf, type RowsOf } from './rows-of.js';
import { type CalcMetrics, readMiniOneRec } from './minionerec-results.js';

/** Items of each list that are kept: as many as lists are described by. */
export const LISTED = 10;

/** A results file as a table; its entries keep the first `LISTED` items. */
export interface RankedFile {
  /** Path. */
  file: string;
  /** SHA-256. */
  sha256: string;
  kind: 'results' | 'minionerec';
  table: RowEntry[];
  /** Which rows of the data folder these are, where they are its first. */
  of?: RowsOf;
  /** What the items are of, where there is a data folder: of a joined one the data set that was ranked. */
  dataset?: Dataset;
  /** For SID ranks: the catalogue's, or that of MiniOneRec's texts. */
  index?: SidIndex;
  /** Length of the longest list. */
  longest: number;
  /** What calc.py of MiniOneRec prints of its file. */
  calc?: CalcMetrics;
  /** What lies beside the kit's own results, where it does. */
  provenance?: Provenance;
  /** What lies beside it says that no list has an item of its row's history. */
  excludesHistory?: true;
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
    const longest = results.reduce((most, { items }) => Math.max(most, items.length), 0);
    if (longest === 0) throw new InputError(`${file}: expected lists of SIDs, got empty ones alone; rank again`);
    const table = rowTable(results, { index, keep: LISTED });
    return { file, sha256: hashFile(file), kind: 'minionerec', table, index, longest, calc };
  }
  const { own, provenance } = ownCatalogue(file, catalogue);
  const { dataset, index } = own;
  const reading = readRows(file, { ...(dataset && { dataset }), ...(index && { index }) });
  const sha256 = hashFile(file); // while other threads read
  const rows = await reading;
  if (provenance && provenance.rows !== rows.table.length) {
    throw new InputError(
      `${file}: expected ${provenance.rows} rows, as the file beside it says, got ${rows.table.length}; evaluate again`,
    );
  }
  if (dataset) checkUsers(file, rows.table, dataset);
  const of = dataset && rowsOf(rows.table, dataset);
  if (of) addTimes(rows.table, dataset, of);
  return {
    ...{ file, sha256, kind: 'results', ...rows },
    ...(of && { of }),
    ...(dataset && { dataset }),
    ...(index && { index }),
    ...(provenance && { provenance }),
    ...(readBeside(file).excludeHistory === true && { excludesHistory: true }),
  };
}

/**
 * What the kit's own results are of, and what lies beside them.
 * @throws InputError where they were ranked with other items or another index, or are of another part than is asked for
 */
export function ownCatalogue(
  file: string,
  catalogue: Catalogue,
): { own: Catalogue; provenance: Provenance | undefined } {
  const provenance = readProvenance(file);
  const own = catalogueOf(file, catalogue, provenance ?? rankedPart(file));
  if (provenance) checkInputs(file, provenance, own);
  return { own, provenance };
}

/** Lists are long, and only their beginnings are kept: a result is checked and ranked, and goes. */
async function readRows(file: string, context: RowContext): Promise<Pick<RankedFile, 'table' | 'longest'>> {
  const { dataset, index } = context;
  const entry = rowMaker({ ...context, keep: LISTED });
  const check = listChecker(file, dataset?.items.length ?? index?.length);
  const table: RowEntry[] = [];
  let longest = 0;
  await eachResult(file, (result) => {
    check(result);
    table.push(entry(result, table.length));
    longest = Math.max(longest, result.items.length);
  });
  if (longest === 0) throw new InputError(`${file}: expected lists of items, got empty ones alone; rank again`);
  return { table, longest };
}

/** What lies beside the kit's own results, where it does. */
export function readProvenance(file: string): Provenance | undefined {
  const found = readBeside(file);
  return typeof found.rows === 'number' && typeof found.inputs === 'object' ? (found as Provenance) : undefined;
}

function readBeside(file: string): Partial<Provenance> {
  const beside = file.replace(/(\.jsonl)?$/, '.json');
  if (beside === file || !existsSync(beside)) return {};
  return readJson<Partial<Provenance> | null>(beside) ?? {};
}

/** A baseline says what was ranked, but not how many rows and how well. */
function rankedPart(file: string): Pick<Provenance, 'part'> {
  const { part } = readBeside(file);
  return typeof part === 'string' ? { part } : {};
}

/** Same bytes, same catalogue: ids of another one may be in range and mean other items. */
function checkInputs(file: string, { inputs }: Provenance, catalogue: Catalogue): void {
  const { dataset, indexFile } = catalogue;
  const check = (name: string, path: string, hash: string | undefined, was: string | undefined): void => {
    if (was === undefined || hash === undefined || was === hash) return;
    throw new InputError(`${file}: ranked with another ${name} than ${path}; give the one that it was ranked with`);
  };
  if (dataset) {
    const { dir, name, sources } = dataset;
    const path = join(dir, `${name}.item.json`);
    const [, was] = Object.entries(inputs).find(([key]) => key.endsWith('.item.json') && !isJoined(key)) ?? [];
    // of a joined folder's data set the hash that its own file had
    check(`${name}.item.json`, sources ? dir : path, sources ? sources[`${name}.item.json`] : hashFile(path), was);
  }
  if (indexFile !== undefined) check('index', indexFile, hashFile(indexFile), rankedIndex(inputs, dataset?.sources !== undefined)); // prettier-ignore
}
