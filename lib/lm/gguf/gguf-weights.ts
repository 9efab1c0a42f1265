/**
 * A GGUF file as the start of a model: llama.cpp's names of the parameters, and its order of the rows of q and k.
 *
 * llama.cpp rotates neighbouring numbers of a head, Hugging Face's code the two halves; for `llama` its converter deals
 * the rows of q and k accordingly (`LlamaModel.permute` of `convert_hf_to_gguf.py`), which is undone here. For `qwen2` and
 * `qwen3` it rotates halves itself, and leaves them.
 */
import * as tf from '@tensorflow/tfjs';
import { type GgufFile, withGguf } from '../../files/gguf/gguf-file.js';
import type { NamedArray } from '../../files/safetensors.js';
import { toBfloat16 } from '../../ops/bfloat16.js';
import type { Precision } from '../../ops/precision.js';
import { uploaded } from '../../ops/read-tensor.js';
import { InputError } from '../../support/errors.js';
import type { ModelConfig } from '../config.js';
import type { LanguageModel } from '../language-model.js';
import { EMBEDDING, FINAL_NORM, OUTPUT } from '../weight-names.js';
import { weightShapes, weightsFrom } from '../weights.js';
import { ggufConfig } from './gguf-config.js';

const TABLES: Readonly<Record<string, string>> = {
  [EMBEDDING]: 'token_embd.weight',
  [FINAL_NORM]: 'output_norm.weight',
  [OUTPUT]: 'output.weight',
};

const PARTS: Readonly<Record<string, string>> = {
  input_layernorm: 'attn_norm',
  'self_attn.q_proj': 'attn_q',
  'self_attn.k_proj': 'attn_k',
  'self_attn.v_proj': 'attn_v',
  'self_attn.q_norm': 'attn_q_norm',
  'self_attn.k_norm': 'attn_k_norm',
  'self_attn.o_proj': 'attn_output',
  post_attention_layernorm: 'ffn_norm',
  'mlp.gate_proj': 'ffn_gate',
  'mlp.up_proj': 'ffn_up',
  'mlp.down_proj': 'ffn_down',
};

/** @param name Hugging Face's @returns llama.cpp's @example ggufName('model.layers.3.self_attn.q_proj.bias') // 'blk.3.attn_q.bias' */
export function ggufName(name: string): string {
  if (TABLES[name] !== undefined) return TABLES[name];
  const [, layer, part, kind] = /^model\.layers\.(\d+)\.(.+)\.(weight|bias)$/.exec(name)!;
  return `blk.${layer}.${PARTS[part!]!}.${kind}`;
}

/** @param precision that its matrices are kept in @throws InputError for a file that is damaged or of another model */
export function loadGgufModel(path: string, precision: Precision = 'float32'): LanguageModel {
  return withGguf(path, (file) => {
    const config = ggufConfig(file);
    const names = new Set([...weightShapes(config).keys()].map(ggufName));
    const odd = file.names.find((name) => !names.has(name));
    if (odd !== undefined) {
      throw new InputError(
        `${path}: ${odd} is part of the model, but nothing here computes with it; take another model`,
      );
    }
    const read = (name: string): tf.Tensor | undefined =>
      file.shape(ggufName(name)) && upload(readWeight(file, name, config), precision);
    return { config, weights: weightsFrom({ get: read }, config, path), folders: [path] };
  });
}

function upload({ data, shape }: NamedArray, precision: Precision): tf.Tensor {
  const whole = uploaded(tf.tensor(data, shape));
  if (precision === 'float32' || shape.length !== 2) return whole;
  const half = toBfloat16(whole as tf.Tensor2D);
  whole.dispose();
  return half;
}

/** A parameter as Hugging Face's folder has it. @param name Hugging Face's */
export function readWeight(file: GgufFile, name: string, { architecture, heads, keyHeads }: ModelConfig): NamedArray {
  const array = file.read(ggufName(name));
  if (architecture !== 'llama') return array;
  if (name.endsWith('.q_proj.weight')) return { ...array, data: undeal(array, heads) };
  if (name.endsWith('.k_proj.weight')) return { ...array, data: undeal(array, keyHeads) };
  return array;
}

/** Of each head the even rows, then the odd ones: where rows lay in pairs, the halves lie one after the other again. */
function undeal({ shape, data }: NamedArray, heads: number): Float32Array {
  const [rows, width] = shape as [number, number];
  const half = rows / heads / 2;
  const out = new Float32Array(data.length);
  for (let row = 0; row < rows; row++) {
    const [head, within] = [Math.floor(row / (2 * half)), row % (2 * half)];
    const from = head * 2 * half + (within % half) * 2 + Math.floor(within / half);
    out.set(data.subarray(from * width, (from + 1) * width), row * width);
  }
  return out;
}
