/**
 * `adapter_config.json`, PEFT's description of an adapter. What is not computed here is refused, not passed over.
 */
import { join, resolve } from 'node:path';
import { readJson } from '../../files/files.js';
import { InputError } from '../../support/errors.js';
import { holdsModel } from '../model-place.js';
import { type Lora, LORA_MODULES, LORA_TARGETS, type LoraModule, type LoraTarget } from './lora-options.js';

/** PEFT's names. */
interface PeftConfig {
  peft_type?: string;
  base_model_name_or_path?: string | null;
  r?: number;
  lora_alpha?: number;
  lora_dropout?: number;
  target_modules?: string[] | string | null;
  modules_to_save?: string[] | null;
  use_rslora?: boolean;
  trainable_token_indices?: number[] | Record<string, number[]> | null;
  bias?: string;
  [option: string]: unknown;
}

/** What an adapter's description says. */
export interface AdapterConfig {
  /** Options of the adapters. */
  lora: Lora;
  /** Rows that were trained alone, of each table; PEFT's `trainable_token_indices`. */
  rows: Partial<Record<LoraModule, number[]>>;
}

/** Options of PEFT that change what is computed; off in all of these forms. */
const REFUSED = [
  ...['use_dora', 'use_qalora', 'use_bdlora', 'fan_in_fan_out', 'lora_bias', 'rank_pattern', 'alpha_pattern'],
  ...['layers_to_transform', 'layers_pattern', 'layer_replication', 'exclude_modules', 'target_parameters'],
  ...['alora_invocation_tokens', 'arrow_config', 'kasa_config', 'monteclora_config', 'velora_config'],
];

/**
 * @param base folder of the model that the adapter is for; default what the file names, from where the command runs or
 *   from the adapter's folder
 * @throws InputError if the file is none, asks for what is not computed here, or its base is not found
 */
export function readAdapterConfig(folder: string, base?: string): AdapterConfig {
  const file = join(folder, 'adapter_config.json');
  const raw: unknown = readJson(file, 'expected the folder of an adapter');
  if (typeof raw !== 'object' || raw === null || Array.isArray(raw))
    throw new InputError(`${file}: expected an object`);
  const peft = raw as PeftConfig;
  refuseUnknown(peft, file);
  const lora: Lora = {
    rank: positive(peft.r ?? 8, 'r', file),
    alpha: positive(peft.lora_alpha ?? 8, 'lora_alpha', file),
    dropout: peft.lora_dropout ?? 0,
    targets: names(peft.target_modules, LORA_TARGETS, 'target_modules', file) as LoraTarget[],
    modules: names(peft.modules_to_save ?? [], LORA_MODULES, 'modules_to_save', file) as LoraModule[],
    rslora: peft.use_rslora ?? false,
    base: base ?? findBase(folder, peft.base_model_name_or_path, file),
    newTokens: false,
  };
  if (!Number.isInteger(lora.rank)) throw new InputError(`${file}: expected r to be an integer, got ${lora.rank}`);
  if (lora.targets.length === 0) throw new InputError(`${file}: expected target_modules to name some, got none`);
  return { lora, rows: tokenRows(peft.trainable_token_indices, file) };
}

function refuseUnknown(peft: PeftConfig, file: string): void {
  if (peft.peft_type !== 'LORA') {
    throw new InputError(`${file}: expected peft_type LORA, got ${String(peft.peft_type)}`);
  }
  if ((peft.bias ?? 'none') !== 'none') throw new InputError(`${file}: expected bias none, got ${String(peft.bias)}`);
  for (const option of REFUSED) {
    const value = peft[option];
    const off = !value || (typeof value === 'object' && Object.keys(value).length === 0);
    if (!off) throw new InputError(`${file}: ${option} is not supported; merge the adapter in Python`);
  }
}

function positive(value: unknown, name: string, file: string): number {
  if (typeof value === 'number' && Number.isFinite(value) && value > 0) return value;
  throw new InputError(`${file}: expected ${name} to be a positive number, got ${JSON.stringify(value)}`);
}

/** The last part of each name: PEFT takes `q_proj` and `self_attn.q_proj` alike. */
function names(given: unknown, known: object, option: string, file: string): string[] {
  const list: unknown[] = Array.isArray(given) ? given : [given];
  const short = list.map((name) =>
    typeof name === 'string' && /^[\w.]+$/.test(name) ? name.split('.').at(-1)! : String(name),
  );
  const odd = short.find((name) => !Object.hasOwn(known, name));
  if (odd === undefined) return [...new Set(short)];
  throw new InputError(`${file}: expected ${option} to be some of ${Object.keys(known).join(', ')}, got ${odd}`);
}

function tokenRows(given: PeftConfig['trainable_token_indices'], file: string): AdapterConfig['rows'] {
  if (given === null || given === undefined) return {};
  const byTable = Array.isArray(given) ? { embed_tokens: given } : given;
  const fits = (rows: unknown): boolean =>
    Array.isArray(rows) && rows.every((row) => Number.isSafeInteger(row) && (row as number) >= 0);
  if (typeof byTable !== 'object' || !Object.values(byTable).every(fits)) {
    throw new InputError(`${file}: expected trainable_token_indices to be token ids`);
  }
  const tables = names(Object.keys(byTable), LORA_MODULES, 'trainable_token_indices', file);
  return Object.fromEntries(Object.values(byTable).map((rows, i) => [tables[i]!, rows]));
}

function findBase(folder: string, name: unknown, file: string): string {
  const places = typeof name === 'string' && name !== '' ? [resolve(name), resolve(folder, name)] : [];
  const found = places.find(holdsModel);
  if (found !== undefined) return found;
  throw new InputError(
    `${file}: base_model_name_or_path ${JSON.stringify(name)} is no model folder here; correct it, or name the base: sidlab merge --model BASE`,
  );
}

/** What PEFT reads. @param rows that were trained alone, of each table */
export function toPeftConfig(lora: Lora, rows: AdapterConfig['rows']): PeftConfig {
  const [ofEmbedding, ofOutput] = [rows.embed_tokens, rows.lm_head];
  return {
    peft_type: 'LORA',
    task_type: 'CAUSAL_LM',
    base_model_name_or_path: lora.base,
    r: lora.rank,
    lora_alpha: lora.alpha,
    lora_dropout: lora.dropout,
    use_rslora: lora.rslora,
    target_modules: [...lora.targets],
    modules_to_save: lora.modules.length > 0 ? [...lora.modules] : null,
    trainable_token_indices: ofOutput ? { embed_tokens: ofEmbedding!, lm_head: ofOutput } : (ofEmbedding ?? null),
    bias: 'none',
    fan_in_fan_out: false,
    inference_mode: true,
    init_lora_weights: true,
  };
}
