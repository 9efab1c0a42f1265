/** What an evaluation of a joined folder's data set reads: its share of the index, its words, the hashes of its files. */
import { existsSync } from 'node:fs';
import type { Dataset } from '../../data/dataset.js';
import { partsFile } from '../../data/join/parts.js';
import { findName } from '../../data/load.js';
import { hashInputs, type RunInputs } from '../../runs/inputs.js';
import type { PromptWords } from '../../tasks/prompts.js';

/** Whether the data folder is of several data sets. */
export function joinsSeveral({ data, dataset }: { data: string; dataset?: string }): boolean {
  return existsSync(partsFile(data, dataset ?? findName(data)));
}

/** Those of a data set's own files, so that it is known by them; and of what was read in their place. */
export function partHashes(inputs: RunInputs, joined: Dataset): Record<string, string> {
  const { index, ...own } = inputs;
  if (inputs.dataset === joined || index === undefined) return hashInputs(inputs);
  const read = Object.entries(hashInputs({ dataset: joined, index })).map(([name, hash]) => [`joined ${name}`, hash]);
  return { ...hashInputs(own), ...(Object.fromEntries(read) as Record<string, string>) };
}

/** Preferences are written of the joined folder's ids. */
export function partWords({ preferenceOf, ...words }: PromptWords, firstItem: number): PromptWords {
  if (!preferenceOf) return words;
  const moved: typeof preferenceOf = (history, target) =>
    preferenceOf(
      history.map((id) => id + firstItem),
      target + firstItem,
    );
  return { ...words, preferenceOf: moved };
}
