/**
 * What of a model is trained: all of it, a part (`freeze`), or adapters beside it (LoRA). The rules between the two.
 */
import { resolve } from 'node:path';
import type { NewRows } from '../../lm/lora/adapted-weights.js';
import { FREEZE, type Freeze } from '../../lm/choices.js';
import { freeze } from '../../lm/lora/freeze.js';
import { type LoraOptions, parseLora } from '../../lm/lora/lora-options.js';
import { addLora } from '../../lm/lora/lora.js';
import { isAdapter } from '../../lm/lora/peft-files.js';
import type { LanguageModel } from '../../lm/language-model.js';
import type { TextTokenizer } from '../../lm/tokenizer/tokenizer.js';
import { InputError } from '../../support/errors.js';

/** Which weights are trained. */
export interface TrainableOptions {
  /** Adapters are trained in place of the matrices; `true` for the defaults. Default false. */
  lora?: boolean | LoraOptions;
  /** What is frozen. With LoRA it says what of the tables is trained, in place of `modules`. Default `none`. */
  freeze?: Freeze;
}

/** @throws InputError where the two options, or an option and the start, do not go together */
export function checkTrainable(from: string, { lora = false, freeze: what = 'none' }: TrainableOptions): void {
  const refuse = (wrong: boolean, message: string): void => {
    if (wrong) throw new InputError(message);
  };
  const shape = /^\w+:\d+x\d+$/.test(from);
  refuse(!FREEZE.includes(what), `--freeze: expected one of ${FREEZE.join(', ')}, got ${what}`);
  refuse(
    shape && what === 'all-but-new-rows',
    `--freeze ${what}: expected --model to be a folder, to which the index adds tokens, got ${from}`,
  );
  if (lora === false) return;
  const { modules = [] } = lora === true ? {} : lora;
  parseLora(lora === true ? {} : lora, from, false);
  refuse(shape, `--lora: expected --model to be a folder with weights, got ${from}`);
  refuse(
    isAdapter(from),
    `--lora: expected --model to be a whole model; sidlab merge makes one of the adapter ${from}`,
  );
  refuse(what === 'all-but-embeddings', `--freeze ${what}: leaves nothing for --lora to train; leave one of them out`);
  refuse(
    what !== 'none' && modules.length > 0,
    `--lora-modules: with --freeze ${what} no module is trained whole; leave one of them out`,
  );
}

/** SID tokens of a vocabulary. */
export interface SidTokenCounts {
  /** How many joined it. */
  added: number;
  /** The rows that count as new. */
  rows?(): NewRows;
}

/**
 * @param from the model's folder, or a shape
 * @param seed of the adapters' start
 * @returns the model with what is trained marked; its variables may be replaced
 * @throws InputError as `checkLearning`, and where there are no new rows
 */
export function trainableModel(
  model: LanguageModel,
  from: string,
  options: TrainableOptions,
  { added, rows }: SidTokenCounts,
  seed: number,
): LanguageModel {
  checkTrainable(from, options);
  const { lora = false, freeze: what = 'none' } = options;
  const newRows = what === 'all-but-new-rows' ? rows?.() : undefined;
  if (lora === false) return freeze(model, what, newRows);
  const given = lora === true ? {} : lora;
  // a matrix is frozen in any case, so of `freeze` only what it says of the tables is left
  const parsed = parseLora({ ...given, ...(what !== 'none' && { modules: [] }) }, resolve(from), added > 0);
  return addLora(what === 'all-but-new-rows' ? freeze(model, what, newRows) : model, parsed, seed);
}

/**
 * Rows of the SID tokens that joined a vocabulary, or, where it had them all, of those that it had; and rows that its
 * table lacked for tokens of its own, which are as new, and which no base of an adapter has.
 * @param missing ids of these @throws InputError if they do not follow one another
 */
export function sidRows(
  tokenizer: TextTokenizer,
  added: readonly string[],
  reused: readonly string[],
  missing: readonly number[] = [],
): NewRows {
  const sids = (added.length > 0 ? added : reused).map((token) => tokenizer.tokenId(token));
  const ids = [...new Set([...sids, ...missing])].sort((a, b) => a - b);
  const first = ids[0] ?? 0;
  if (ids.every((id, i) => id === first + i)) return { first, count: ids.length };
  throw new InputError(
    '--freeze all-but-new-rows: expected the SID tokens of the index to follow one another in the vocabulary',
  );
}
