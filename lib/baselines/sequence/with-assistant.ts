/** The assistant of a search by the folder of a trained baseline, or by its name: loaded, used, and freed. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { readPartsFile } from '../../data/join/parts.js';
import { findName } from '../../data/load.js';
import { partScorers, type Scorer } from '../../evaluate/scorer.js';
import { InputError } from '../../support/errors.js';
import { shellQuote } from '../../support/shell-quote.js';
import { ARCHITECTURES } from './architectures.js';
import type { LoadedScorer } from './scorer.js';

/** Where a named assistant's run is looked for. */
export interface AssistantPlace {
  /** Data folder. */
  data: string;
  /** NAME of its files. */
  dataset?: string | undefined;
  /** Of a joined folder: the data set that is ranked, or `all`. */
  part?: string | undefined;
  /** Whether a joined folder's data sets are ranked each by itself where no part is named. Default true. */
  apart?: boolean;
  /** Folder of the baselines' runs. Default `runs` in the data folder. */
  runs?: string;
}

/** Folder of the model of a baseline's own run. @param part of a joined folder, as `--part` names it */
export function baselineModel(runs: string, name: string, part?: string): string {
  return join(runs, part === undefined ? `baseline-${name}` : `baseline-${name}-${part}`, 'model');
}

/**
 * Folders of the models that a name stands for: of a joined folder one a data set, where each is ranked by itself.
 * @throws InputError where one was not trained
 */
export function assistantModels(
  name: string,
  { data, dataset, part, apart = true, runs = join(data, 'runs') }: AssistantPlace,
): Map<string, string> {
  const parts = readPartsFile(data, dataset ?? findName(data))?.map((one) => one.name);
  const wanted = part === undefined && parts && apart ? parts : [part];
  return new Map(
    wanted.map((one) => {
      const own = baselineModel(runs, name, one);
      const shared = join(runs, `baseline-${name}`, one ?? '', 'model'); // of a run that trains one for each data set
      const found = [own, ...(parts?.includes(one ?? '') ? [shared] : [])].find((folder) => existsSync(folder));
      return [one ?? '', found ?? missing(own, name, data, one)];
    }),
  );
}

function missing(folder: string, name: string, data: string, part?: string): never {
  const of = part === undefined ? '' : ` --part ${shellQuote(part)}`;
  throw new InputError(
    `assistant: expected the model of a trained baseline, got none in ${folder}; sidlab baseline ${name} --data ${data}${of} makes one`,
  );
}

/** Whether it is the name of a baseline that scores items, such as `sasrec`. */
export function isArchitecture(name: unknown): name is (typeof ARCHITECTURES)[number]['name'] {
  return ARCHITECTURES.some((one) => one.name === name);
}

/**
 * @param given a folder, a name, whose run is looked for in the data folder, or a scorer, which is the caller's
 * @returns what the work returns; a model that was loaded for it is freed then
 * @throws InputError if there is no such model, or one of another number of items comes to be asked
 */
export async function withAssistant<T>(
  given: string | Scorer | undefined,
  place: AssistantPlace,
  work: (assistant: Scorer | undefined) => Promise<T>,
): Promise<T> {
  if (typeof given !== 'string') return work(given);
  const folders = isArchitecture(given) ? assistantModels(given, place) : new Map([['', given]]);
  for (const folder of folders.values()) if (!existsSync(folder)) missing(folder, 'sasrec', place.data);
  const { loadScorer } = await import('./scorer.js');
  const loaded = new Map<string, LoadedScorer>();
  try {
    for (const [part, folder] of folders) loaded.set(part, await loadScorer(folder));
    const alone = place.part === undefined ? loaded.get('') : (loaded.get(place.part) ?? loaded.get(''));
    return await work(alone ?? partScorers(Object.fromEntries(loaded)));
  } finally {
    for (const scorer of loaded.values()) scorer.dispose();
  }
}
