/**
 * A sentence encoder from a Hugging Face folder of safetensors, as published: BERT's kind, or a decoder that `lib/lm`
 * computes (Qwen3-Embedding, a recommender that was trained here). Which, `config.json` says.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { ensureEngine } from '../../engine/engine.js';
import { readJson } from '../../files/files.js';
import { InputError } from '../../support/errors.js';
import type { DTYPES_OF_MODELS } from '../embed-options.js';
import { BERT_KINDS, type HiddenStates, loadBert, weightFiles } from './bert.js';

/** Whether a folder has safetensors and no ONNX file, which would be taken first. */
export function isSafetensorsFolder(folder: string): boolean {
  if (existsSync(join(folder, 'onnx')) || !existsSync(join(folder, 'config.json'))) return false;
  return ['model.safetensors', 'model.safetensors.index.json'].some((name) => existsSync(join(folder, name)));
}

/** @throws InputError for an architecture that is not computed here, or a `dtype` of ONNX files */
export async function loadHiddenStates(
  folder: string,
  dtype: (typeof DTYPES_OF_MODELS)[number],
): Promise<HiddenStates> {
  if (dtype !== 'fp32') {
    throw new InputError(
      `embed: expected --dtype fp32 with a folder of safetensors, got ${dtype}; it names ONNX files`,
    );
  }
  weightFiles(folder);
  await ensureEngine();
  const { model_type: type } = readJson<{ model_type?: unknown }>(join(folder, 'config.json'));
  if (BERT_KINDS.includes(type as string)) return loadBert(folder);
  return (await import('./decoder-states.js')).loadDecoderStates(folder);
}
