/** The options of LoRA, their defaults and what is refused; names are PEFT's and GRec's, defaults GRec's. */
import { InputError } from '../../support/errors.js';
import { EMBEDDING, OUTPUT } from '../weights.js';

/** The matrices of a layer, by the names that PEFT and GRec use. */
export const LORA_TARGETS = {
  q_proj: 'self_attn.q_proj.weight',
  k_proj: 'self_attn.k_proj.weight',
  v_proj: 'self_attn.v_proj.weight',
  o_proj: 'self_attn.o_proj.weight',
  gate_proj: 'mlp.gate_proj.weight',
  up_proj: 'mlp.up_proj.weight',
  down_proj: 'mlp.down_proj.weight',
} as const;
/** One of them. */
export type LoraTarget = keyof typeof LORA_TARGETS;

/** The tables that can be trained whole, by PEFT's names. */
export const LORA_MODULES = { embed_tokens: EMBEDDING, lm_head: OUTPUT } as const;
/** One of them. */
export type LoraModule = keyof typeof LORA_MODULES;

/** What adapters are put where, and how they are used. */
export interface LoraOptions {
  /** r. Default 32. */
  rank?: number;
  /** The product is scaled by alpha / rank. Default 32. */
  alpha?: number;
  /** Of what an adapter sees while training, in [0, 1). Default 0.05. */
  dropout?: number;
  /** Matrices that get an adapter. Default all seven. */
  targets?: readonly LoraTarget[];
  /** Trained whole. Default both, unless `freeze` keeps them frozen, or trains their new rows alone. */
  modules?: readonly LoraModule[];
  /** Scale by alpha / sqrt(rank) (Kalajdzievski, arXiv 2312.03732). Default false. */
  rslora?: boolean;
}

/** The options with nothing left open, and what an adapter's file says of its base. */
export interface Lora extends Required<LoraOptions> {
  /** Folder of the model that the adapters are for. */
  base: string;
  /** Tokens were added to the base: its tables are not the ones that the adapter was trained with. */
  newTokens: boolean;
}

/** @throws InputError if one is out of range, or unknown */
export function parseLora(options: LoraOptions, base: string, newTokens: boolean): Lora {
  const { rank = 32, alpha = 32, dropout = 0.05, rslora = false } = options;
  const { targets = keys(LORA_TARGETS), modules = keys(LORA_MODULES) } = options;
  const check = (fits: boolean, flag: string, what: string, got: unknown): void => {
    if (!fits) throw new InputError(`--lora-${flag}: expected ${what}, got ${String(got)}`);
  };
  check(Number.isInteger(rank) && rank > 0, 'rank', 'a positive integer', rank);
  check(alpha > 0 && Number.isFinite(alpha), 'alpha', 'a positive number', alpha);
  check(dropout >= 0 && dropout < 1, 'dropout', 'a share in [0, 1)', dropout);
  check(targets.length > 0, 'targets', `at least one of ${keys(LORA_TARGETS).join(', ')}`, 'none');
  for (const name of targets) check(Object.hasOwn(LORA_TARGETS, name), 'targets', oneOf(LORA_TARGETS), name);
  for (const name of modules) check(Object.hasOwn(LORA_MODULES, name), 'modules', oneOf(LORA_MODULES), name);
  return { rank, alpha, dropout, targets, modules, rslora, base, newTokens };
}

function keys<T extends object>(object: T): (keyof T)[] {
  return Object.keys(object) as (keyof T)[];
}

function oneOf(names: object): string {
  return `some of ${Object.keys(names).join(', ')}`;
}
