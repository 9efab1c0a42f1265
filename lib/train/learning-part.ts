/** What of a model learns: all of it, a part (`freeze`), or adapters beside it (LoRA). The rules between the two. */
import { addLora, freeze, FREEZE, isAdapter, parseLora } from '../lm/index.js';
import type { Freeze, LanguageModel, LoraOptions, NewRows, TextTokenizer } from '../lm/index.js';
import { InputError } from '../support/index.js';

export interface LearningOptions {
  /** Adapters learn in place of the matrices; `true` for the defaults. Default false. */
  lora?: boolean | LoraOptions;
  /** What stands. With LoRA it says what of the tables learns, in place of `modules`. Default `none`. */
  freeze?: Freeze;
}

/**
 * @param from the model's folder, or a shape
 * @param newRows of the tokens that the index added
 * @param seed of the adapters' start
 * @returns the model with what learns marked; its variables may be replaced
 * @throws InputError where the two options, or an option and the start, do not go together
 */
export function learningPart(
  model: LanguageModel,
  from: string,
  { lora = false, freeze: what = 'none' }: LearningOptions,
  newRows: NewRows | undefined,
  seed: number,
): LanguageModel {
  if (!FREEZE.includes(what)) throw new InputError(`--freeze: expected one of ${FREEZE.join(', ')}, got ${what}`);
  if (lora === false) return freeze(model, what, newRows);
  const options = lora === true ? {} : lora;
  refuse(from, what, options);
  // a matrix stands in any case, so of `freeze` only what it says of the tables is left
  const parsed = parseLora({ ...options, ...(what !== 'none' && { modules: [] }) }, from, newRows !== undefined);
  const started = what === 'all-but-new-rows' ? freeze(model, what, newRows) : model;
  return addLora(started, parsed, seed);
}

function refuse(from: string, what: Freeze, { modules = [] }: LoraOptions): void {
  if (/^\w+:\d/.test(from)) throw new InputError(`--lora: expected --model to be a folder with weights, got ${from}`);
  if (isAdapter(from)) {
    throw new InputError(`--lora: expected --model to be a whole model, got an adapter; sidlab merge makes it one`);
  }
  if (what === 'all-but-embeddings') {
    throw new InputError('--freeze all-but-embeddings: nothing is left for --lora to learn; leave one of them out');
  }
  if (what !== 'none' && modules.length > 0) {
    throw new InputError(`--lora-modules: with --freeze ${what} no module is trained whole; leave one of them out`);
  }
}

/**
 * Rows of the SID tokens that joined a vocabulary, or, where it had them all, of those that it had.
 * @throws InputError if those do not follow one another
 */
export function sidRows(tokenizer: TextTokenizer, added: readonly string[], reused: readonly string[]): NewRows {
  const ids = (added.length > 0 ? added : reused).map((token) => tokenizer.tokenId(token)).sort((a, b) => a - b);
  const first = ids[0] ?? 0;
  if (ids.every((id, i) => id === first + i)) return { first, count: ids.length };
  throw new InputError(
    '--freeze all-but-new-rows: expected the SID tokens of the index to follow one another in the vocabulary',
  );
}
