/**
 * What results are checked against: a data folder and an index. Of a joined folder's data set the results have the ids that
 * it had alone, and the file beside them names it (`part`): its items, rows and share of the index are the catalogue then.
 */
import { existsSync } from 'node:fs';
import type { Dataset } from '../../data/dataset.js';
import { ALL_PARTS, partView, userAlone } from '../../data/join/parts.js';
import { indexOf, loadDataset } from '../../data/load.js';
import { readIndex, type SidIndex } from '../../data/sid-index.js';
import { InputError } from '../../support/errors.js';
import type { Provenance } from '../results-place.js';
import type { RowEntry } from '../rows/row-table.js';
import type { SidNumbers } from './minionerec-results.js';

/** What the results are checked against, and what features come from. */
export interface Catalogue {
  dataset?: Dataset;
  index?: SidIndex;
  /** Of the index, where there is one. */
  indexFile?: string;
  /** Whether somebody named that file; else it is the folder's own. */
  indexNamed?: boolean;
  /** Of a joined folder: the data set that results are of, where they do not say so themselves. */
  part?: string;
  /** Of the texts of MiniOneRec's files. */
  numbers: SidNumbers;
}

/** Where a catalogue is. */
export interface CatalogueFiles {
  /** Folder. */
  data?: string | undefined;
  dataset?: string | undefined;
  index?: string | undefined;
  part?: string | undefined;
}

/** @throws InputError for files that are missing or do not fit one another */
export async function readCatalogueFiles(options: CatalogueFiles): Promise<Catalogue> {
  const { data, dataset: name, index: given, part } = options;
  const dataset = data === undefined ? undefined : await loadDataset(data, name);
  if (part !== undefined) checkPart(part, dataset);
  const own = dataset && indexOf(dataset);
  const indexFile = given ?? (own !== undefined && existsSync(own) ? own : undefined);
  return {
    numbers: { sids: [], ids: new Map() },
    ...(dataset && { dataset }),
    ...(indexFile !== undefined && { index: readIndex(indexFile, dataset?.items.length), indexFile }),
    ...(given !== undefined && { indexNamed: true }),
    ...(part !== undefined && { part }),
  };
}

function checkPart(part: string, dataset: Dataset | undefined): void {
  if (!dataset) throw new InputError(`--part: expected a data folder that has ${part}, got none; give --data too`);
  partView(dataset, part);
}

/**
 * What a file's results are of.
 * @throws InputError where the file beside the results names another part than was asked for
 */
export function catalogueOf(file: string, catalogue: Catalogue, provenance: Partial<Provenance>): Catalogue {
  const { dataset, index, indexFile: _file, part: asked, ...others } = catalogue;
  const { part: ranked, apart, inputs = {} } = provenance;
  if (asked !== undefined && ((ranked !== undefined && ranked !== asked) || apart !== undefined)) {
    const was = ranked ?? `each of ${apart!.join(', ')}`;
    throw new InputError(`${file}: expected --part ${was}, as it was ranked, got ${asked}; leave it out`);
  }
  const part = asked ?? ranked;
  if (dataset?.parts === undefined) {
    // the SIDs were the joined folder's, not those of the data set's own index
    const other = dataset && rankedIndex(inputs, true) !== rankedIndex(inputs, false) && others.indexNamed !== true;
    return other ? { ...others, dataset } : catalogue;
  }
  if (part === undefined) return catalogue;
  if (part === ALL_PARTS) {
    const { parts: _parts, ...whole } = dataset;
    return { ...catalogue, dataset: whole };
  }
  const view = partView(dataset, part);
  const { firstItem } = view;
  const own = index?.slice(firstItem, firstItem + view.dataset.items.length);
  return { ...catalogue, dataset: view.dataset, ...(own && { index: own }) };
}

/** Whether an input of a part's results was read in the place of the part's own. */
export function isJoined(input: string): boolean {
  return input.startsWith('joined ');
}

/** Hash of the index by which results were ranked. @param joined whether a joined folder's counts */
export function rankedIndex(inputs: Readonly<Record<string, string>>, joined: boolean): string | undefined {
  return inputs.index ?? (joined ? inputs['joined index'] : undefined);
}

/**
 * Ids that a data set has alone may be in range and mean other items; its users lack the name that they have here.
 * @throws InputError for the first row of a user that the joined folder does not have
 */
export function checkUsers(
  file: string,
  table: readonly Pick<RowEntry, 'user' | 'target' | 'history'>[],
  dataset: Dataset,
): void {
  if (!dataset.parts) return;
  const ends: number[] = [];
  for (const { items } of dataset.parts) ends.push((ends.at(-1) ?? 0) + items);
  for (const [row, { user, target, history }] of table.entries()) {
    const { name } = dataset.parts[ends.findIndex((end) => target < end)] ?? dataset;
    if (history.length === 0 || userAlone(name, user) !== undefined) continue; // rows about items have no user
    throw new InputError(
      `${file}: row ${row + 1}: expected a user of the joined folder, such as ${name}/NAME, got ${JSON.stringify(user)}; ` +
        'where it has the ids of one data set, name that with --part',
    );
  }
}
