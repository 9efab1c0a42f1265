/** The flags of LoRA, gathered into the one option that the library takes. */
import type { LoraOptions } from '../lm/lora/lora-options.js';
import { InputError } from '../support/errors.js';
import type { FlagName, FlagValues } from './flags.js';

export const LORA_FLAGS = [
  ...(['lora', 'lora-rank', 'lora-alpha', 'lora-dropout', 'lora-targets', 'lora-modules'] as const),
  ...(['lora-rslora', 'freeze'] as const),
] satisfies readonly FlagName[];

/** @throws InputError for a flag of LoRA's without `--lora` */
export function loraOption(values: FlagValues): { others: FlagValues; lora?: LoraOptions } {
  const { lora, loraRank, loraAlpha, loraDropout, loraTargets, loraModules, loraRslora, ...others } = values;
  const given = {
    ...(loraRank !== undefined && { rank: loraRank }),
    ...(loraAlpha !== undefined && { alpha: loraAlpha }),
    ...(loraDropout !== undefined && { dropout: loraDropout }),
    ...(loraTargets !== undefined && { targets: list(loraTargets).map(targetName) }),
    ...(loraModules !== undefined && { modules: loraModules === 'none' ? [] : list(loraModules) }),
    ...(loraRslora !== undefined && { rslora: loraRslora }),
  };
  if (lora) return { others, lora: given as LoraOptions }; // names are checked where they are used
  const [first] = Object.keys(given);
  if (first === undefined) return { others };
  throw new InputError(`--lora-${first}: expected --lora beside it`);
}

function list(value: NonNullable<FlagValues[string]>): string[] {
  return String(value).split(',');
}

/** `q` and `q_proj` are the same matrix. */
function targetName(name: string): string {
  return name.endsWith('_proj') ? name : `${name}_proj`;
}
