/** Options that every stage shares which reads a data folder. They say where things are, not what comes out. */
import { integer, path, text } from '../options/kinds.js';
import { InputError } from '../support/errors.js';

/** Where the data are. Identity is a matter of the files' bytes, so no path is part of a fingerprint. */
export const DATA_OPTIONS = {
  data: path('data folder, as filter writes it', { required: true, affectsResult: false }),
  dataset: text("NAME of the folder's files", {
    otherwise: "the folder's own name, or the only NAME in it",
    affectsResult: false,
  }),
};

/** @throws InputError for a NAME that is none: it becomes part of file names */
export function checkDatasetName({ dataset = '' }: { dataset?: string }): void {
  if (!/[/\\]|^\./.test(dataset)) return;
  throw new InputError(`dataset: expected a name without slashes and without a dot first, got ${dataset}`);
}

/** Where the index is. */
export const INDEX_OPTIONS = {
  index: path('index file', { otherwise: 'NAME.index.json in the data folder', affectsResult: false }),
};

/** One number fixes everything random. */
export const SEED_OPTIONS = {
  seed: integer('fixes everything random', { default: 42, min: 0 }),
};
