/** The options of LoRA; names are PEFT's and GRec's, defaults GRec's. */
import { boolean, integer, number, words } from '../../options/kinds.js';
import { defineOptions, type OptionsOf, type SettingsOf } from '../../options/schema.js';
import { InputError } from '../../support/errors.js';
import { EMBEDDING, OUTPUT } from '../weight-names.js';

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

/** The tables that can be trained whole beside the adapters, by PEFT's names. */
export const LORA_MODULES = { embed_tokens: EMBEDDING, lm_head: OUTPUT } as const;
/** One of them. */
export type LoraModule = keyof typeof LORA_MODULES;

const TARGETS = Object.keys(LORA_TARGETS) as LoraTarget[];
const MODULES = Object.keys(LORA_MODULES) as LoraModule[];

/** Adapters without a matrix would train nothing. */
function checkTargets({ targets }: { targets: readonly LoraTarget[] }): void {
  if (targets.length === 0)
    throw new InputError(`lora: expected targets to be some of ${TARGETS.join(', ')}, got none`);
}

/** Declares the options of adapters. */
export const LORA_OPTIONS = defineOptions(
  'lora',
  {
    rank: integer('rank of the adapters', { default: 32 }),
    alpha: number('adapters are scaled by alpha / rank', { default: 32, above: 0 }),
    dropout: number('share of what an adapter sees set to zero while training', { default: 0.05, min: 0, below: 1 }),
    targets: words(TARGETS, 'matrices with an adapter: q,k,v,o,gate,up,down', {
      default: TARGETS,
      alias: (name) => (name.endsWith('_proj') ? name : `${name}_proj`), // `q` and `q_proj` are the same matrix
    }),
    modules: words(MODULES, 'tables that are trained whole beside them, or none', {
      otherwise: 'both, but where freeze says otherwise',
    }),
    rslora: boolean('scale by alpha / sqrt(rank) (Kalajdzievski, arXiv 2312.03732)'),
  },
  { rules: [checkTargets] },
);

/** Options of adapters. */
export interface LoraOptions extends OptionsOf<typeof LORA_OPTIONS> {}

/** The options with every default filled in, and what an adapter's file says of its base. */
export interface Lora extends SettingsOf<typeof LORA_OPTIONS> {
  modules: readonly LoraModule[];
  /** Folder of the model that the adapters are for. */
  base: string;
  /** Tokens were added to the base: its tables are not the ones that the adapter was trained with. */
  newTokens: boolean;
}

/** @throws InputError if one is out of range, or unknown */
export function parseLora(options: LoraOptions, base: string, newTokens: boolean): Lora {
  const settings = LORA_OPTIONS.parse(options);
  return { ...settings, modules: settings.modules ?? MODULES, base, newTokens };
}
