/** The models of a run: the policy, of which everything, a part or an adapter is trained, and the reference. */
import type { SidIndex } from '../../data/sid-index.js';
import type { Freeze } from '../../lm/choices.js';
import type { LanguageModel } from '../../lm/language-model.js';
import { factorName } from '../../lm/lora/adapted-weights.js';
import { LORA_MODULES, type LoraOptions } from '../../lm/lora/lora-options.js';
import { loraMatrices } from '../../lm/lora/lora.js';
import { isAdapter, loadAdapter } from '../../lm/lora/peft-files.js';
import { setTrainable } from '../../lm/lora/set-trainable.js';
import { loadModel } from '../../lm/model.js';
import type { TextTokenizer } from '../../lm/tokenizer/tokenizer.js';
import { EMBEDDING } from '../../lm/weight-names.js';
import type { Precision } from '../../ops/precision.js';
import { InputError } from '../../support/errors.js';
import { checkTrainable, sidRows, trainableModel } from '../sft/trainable.js';
import type { ReferenceKind } from './grpo-words.js';
import { baseReference, frozenReference, type Reference, referenceOf, synchronisedReference } from './reference.js';

/** What of the policy is trained. */
export interface PolicyOptions {
  precision: Precision;
  lora?: boolean | LoraOptions;
  freeze: Freeze;
  seed: number;
}

/** What can be said before anything is loaded. @throws InputError for what does not go together */
export function checkPolicy(start: string, { lora = false, freeze }: Pick<PolicyOptions, 'lora' | 'freeze'>): void {
  if (lora === false || !isAdapter(start)) return checkTrainable(start, { lora, freeze });
  const [part] = Object.keys(lora === true ? {} : lora);
  if (part !== undefined) {
    throw new InputError(
      `grpo: --lora-${part}: the adapter ${start} has its own; give --lora alone to train it further`,
    );
  }
  if (freeze !== 'none') throw new InputError(`grpo: expected --freeze none with the adapter ${start}, got ${freeze}`);
}

/** The start model with what is trained marked: whole, frozen in part, with new adapters, or an adapter's own. */
export function policyModel(
  start: string,
  tokenizer: TextTokenizer,
  index: SidIndex,
  { precision, lora = false, freeze, seed }: PolicyOptions,
): LanguageModel {
  if (lora !== false && isAdapter(start)) return continuedAdapter(start, precision);
  const model = loadModel(start, { precision });
  if (lora === false && freeze === 'none') return model;
  const options = { lora: lora === false ? false : { dropout: 0, ...(lora === true ? {} : lora) }, freeze };
  const rows = () => sidRows(tokenizer, [], [...new Set(index.flat())]);
  return trainableModel(model, start, options, { added: 0, rows }, seed);
}

/** An adapter as it was saved, trained further: its factors, and the tables that were trained beside them. */
function continuedAdapter(start: string, precision: Precision): LanguageModel {
  const loaded = loadAdapter(start);
  const lora = loaded.lora!;
  const { config } = loaded;
  const names = new Set<string>([
    ...loraMatrices(config.layers, lora).flatMap((name) => [factorName(name, 'A'), factorName(name, 'B')]),
    ...lora.modules.map((module) => (config.tied ? EMBEDDING : LORA_MODULES[module])),
  ]);
  const model = { ...loaded, config: { ...config, precision } };
  return setTrainable(model, (name) => names.has(name));
}

/** @returns undefined for none */
export function referenceModel(
  kind: ReferenceKind,
  policy: LanguageModel,
  start: string,
  { precision, syncSteps, syncWeight }: { precision: Precision; syncSteps: number; syncWeight: number },
): Reference | undefined {
  switch (kind) {
    case 'none':
      return undefined;
    case 'base':
      return baseReference(policy);
    case 'synchronised':
      return synchronisedReference(policy, syncSteps, syncWeight);
    case 'frozen':
      return policy.trainable ? referenceOf(policy) : frozenReference(loadModel(start, { precision, frozen: true }));
    default:
      throw new Error(`reference: unknown ${kind satisfies never}`);
  }
}
