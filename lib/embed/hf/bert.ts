/**
 * An encoder of BERT's or RoBERTa's kind from a Hugging Face folder of safetensors, on the engine: embeddings, then
 * layers of attention and feed-forward, each with its residual and layer norm behind it (post-norm), as transformers'
 * `BertModel` computes them in eager mode. Float32.
 *
 * Departures: no pooler, no dropout; a text attends to its own tokens, so texts of one batch are computed side by side
 * with a mask. Shapes: B texts, T tokens of the longest, D width, H heads.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import * as tf from '@tensorflow/tfjs';
import { readJson } from '../../files/files.js';
import { type NamedArray, SafetensorsFile } from '../../files/safetensors.js';
import { InputError } from '../../support/errors.js';
import { valuesOf } from '../../support/values-of.js';

/** What is read of `config.json`. */
export interface BertConfig {
  kind: 'bert' | 'roberta' | 'xlm-roberta';
  layers: number;
  heads: number;
  width: number;
  /** Of layer norms. */
  epsilon: number;
  act: 'gelu' | 'gelu_new' | 'relu';
  /** Position of the first token: RoBERTa counts from `pad_token_id + 1`. */
  firstPosition: number;
}

/** Token ids of texts -> their last hidden state. */
export interface HiddenStates {
  width: number;
  /** @param batch [B][T], shorter texts first or not @returns [B * T * D], rows behind a text's end are not to be read */
  hidden(batch: readonly (readonly number[])[]): Float32Array;
  dispose(): void;
}

/** The kinds of `model_type` that are computed here. */
export const BERT_KINDS: readonly string[] = ['bert', 'roberta', 'xlm-roberta', 'camembert'];

/** @throws InputError for another architecture, or one with something that is not computed here */
export function parseBertConfig(raw: Record<string, unknown>, source: string): BertConfig {
  const { model_type: type, position_embedding_type: position = 'absolute', hidden_act: act = 'gelu' } = raw;
  const wrong = (what: string): never => {
    throw new InputError(`${source}: ${what}; export it to ONNX, or take another encoder`);
  };
  if (!BERT_KINDS.includes(type as string)) wrong(`expected model_type ${BERT_KINDS.join(', ')}, got ${String(type)}`);
  if (position !== 'absolute') wrong(`expected absolute positions, got ${String(position)}`);
  if (act !== 'gelu' && act !== 'gelu_new' && act !== 'relu')
    wrong(`expected hidden_act gelu or relu, got ${String(act)}`);
  const number = (name: string): number => {
    const value = raw[name];
    return Number.isSafeInteger(value) && (value as number) > 0 ? (value as number) : wrong(`expected ${name} in it`);
  };
  const pad = raw.pad_token_id ?? 1;
  return {
    kind: type === 'camembert' ? 'roberta' : (type as BertConfig['kind']),
    layers: number('num_hidden_layers'),
    heads: number('num_attention_heads'),
    width: number('hidden_size'),
    epsilon: Number(raw.layer_norm_eps ?? 1e-12),
    act: act as BertConfig['act'],
    firstPosition: type === 'bert' ? 0 : Number(pad) + 1,
  };
}

/** @throws InputError for a folder without weights, or that lacks one */
export function loadBert(folder: string): HiddenStates {
  const source = join(folder, 'config.json');
  const config = parseBertConfig(readJson<Record<string, unknown>>(source), source);
  const weights = readTensors(folder);
  const take = (name: string): tf.Tensor => {
    const found = weights.get(name) ?? weights.get(name.replace('LayerNorm.weight', 'LayerNorm.gamma').replace('LayerNorm.bias', 'LayerNorm.beta')); // prettier-ignore
    if (!found) throw new InputError(`${folder}: expected the weight ${name}, got none; fetch the folder again`);
    return tf.tensor(found.data, [...found.shape]);
  };
  const names = [
    ...['word_embeddings', 'position_embeddings', 'token_type_embeddings'].map((name) => `embeddings.${name}.weight`),
    ...['weight', 'bias'].map((part) => `embeddings.LayerNorm.${part}`),
    ...Array.from({ length: config.layers }, (_, l) => PARTS.map((part) => `encoder.layer.${l}.${part}`)).flat(),
  ];
  const tensors = new Map(names.map((name) => [name, take(name)]));
  return {
    width: config.width,
    hidden: (batch) => valuesOf(() => forward(config, (name) => tensors.get(name)!, batch)),
    dispose: () => tf.dispose([...tensors.values()]),
  };
}

const PARTS = [
  ...['query', 'key', 'value'].map((name) => `attention.self.${name}`),
  ...['attention.output.dense', 'attention.output.LayerNorm', 'intermediate.dense', 'output.dense', 'output.LayerNorm'],
].flatMap((name) => [`${name}.weight`, `${name}.bias`]);

type Weight = (name: string) => tf.Tensor;

/** @returns [B * T, D] */
function forward(config: BertConfig, weight: Weight, batch: readonly (readonly number[])[]): tf.Tensor2D {
  const B = batch.length;
  const T = batch.reduce((most, { length }) => Math.max(most, length), 1);
  const ids = new Int32Array(B * T);
  const positions = new Int32Array(B * T).fill(config.firstPosition);
  const mask = new Float32Array(B * T).fill(-1e9);
  batch.forEach((row, b) => {
    row.forEach((id, t) => {
      ids[b * T + t] = id;
      positions[b * T + t] = config.firstPosition + t;
      mask[b * T + t] = 0;
    });
  });
  const rows = (name: string, of: Int32Array): tf.Tensor2D => tf.gather(weight(`embeddings.${name}.weight`) as tf.Tensor2D, tf.tensor1d(of, 'int32')); // prettier-ignore
  const summed = tf.addN([
    rows('word_embeddings', ids),
    rows('position_embeddings', positions),
    rows('token_type_embeddings', new Int32Array(B * T)),
  ]) as tf.Tensor2D;
  let x = norm(summed, weight, 'embeddings.LayerNorm', config.epsilon); // [B * T, D]
  const bias = tf.tensor4d(mask, [B, 1, 1, T]);
  for (let l = 0; l < config.layers; l++) {
    const before = x;
    x = tf.tidy(() => layer(config, weight, `encoder.layer.${l}.`, before, bias, B, T));
    before.dispose();
  }
  return x;
}

function layer(
  { heads, width, epsilon, act }: BertConfig,
  weight: Weight,
  at: string,
  x: tf.Tensor2D,
  bias: tf.Tensor4D,
  B: number,
  T: number,
): tf.Tensor2D {
  const size = width / heads;
  const split = (name: string): tf.Tensor4D =>
    tf.transpose(tf.reshape(linear(x, weight, `${at}attention.self.${name}`), [B, T, heads, size]), [0, 2, 1, 3]); // [B, H, T, D / H]
  const scores = tf.add(tf.div(tf.matMul(split('query'), split('key'), false, true), Math.sqrt(size)), bias); // [B, H, T, T]
  const mixed = tf.matMul(tf.softmax(scores as tf.Tensor4D), split('value'));
  const joined = tf.reshape(tf.transpose(mixed, [0, 2, 1, 3]), [B * T, width]) as tf.Tensor2D;
  const attended = linear(joined, weight, `${at}attention.output.dense`);
  const middle = norm(tf.add(attended, x), weight, `${at}attention.output.LayerNorm`, epsilon);
  const wide = activate(linear(middle, weight, `${at}intermediate.dense`), act);
  return norm(tf.add(linear(wide, weight, `${at}output.dense`), middle), weight, `${at}output.LayerNorm`, epsilon);
}

function linear(x: tf.Tensor2D, weight: Weight, name: string): tf.Tensor2D {
  return tf.add(tf.matMul(x, weight(`${name}.weight`) as tf.Tensor2D, false, true), weight(`${name}.bias`));
}

function norm(x: tf.Tensor2D, weight: Weight, name: string, epsilon: number): tf.Tensor2D {
  const { mean, variance } = tf.moments(x, 1, true);
  const scaled = tf.div(tf.sub(x, mean), tf.sqrt(tf.add(variance, epsilon)));
  return tf.add(tf.mul(scaled, weight(`${name}.weight`)), weight(`${name}.bias`));
}

function activate(x: tf.Tensor2D, act: BertConfig['act']): tf.Tensor2D {
  switch (act) {
    case 'relu':
      return tf.relu(x);
    case 'gelu':
      return tf.mul(tf.mul(x, 0.5), tf.add(tf.erf(tf.mul(x, Math.SQRT1_2)), 1));
    case 'gelu_new': {
      const inner = tf.mul(tf.add(x, tf.mul(tf.pow(x, 3), 0.044715)), Math.sqrt(2 / Math.PI));
      return tf.mul(tf.mul(x, 0.5), tf.add(tf.tanh(inner), 1));
    }
    default:
      throw act satisfies never;
  }
}

/** Tensors of all files, names without the model's own prefix (`bert.`, `roberta.`). */
function readTensors(folder: string): Map<string, NamedArray> {
  const tensors = new Map<string, NamedArray>();
  for (const path of weightFiles(folder)) {
    const file = new SafetensorsFile(path);
    try {
      for (const name of file.names) {
        if (!/embeddings\.|encoder\.layer\./.test(name) || name.endsWith('position_ids')) continue;
        tensors.set(name.replace(/^(bert|roberta|model)\./, ''), file.read(name));
      }
    } finally {
      file.close();
    }
  }
  return tensors;
}

/** `model.safetensors`, or those that its list names. @throws InputError for neither */
export function weightFiles(folder: string): string[] {
  const [one, list] = ['model.safetensors', 'model.safetensors.index.json'].map((name) => join(folder, name));
  if (existsSync(one!)) return [one!];
  if (!existsSync(list!)) throw new InputError(`${folder}: expected onnx/model.onnx or model.safetensors, got neither`);
  const { weight_map: map = {} } = readJson<{ weight_map?: Record<string, string> }>(list!);
  return [...new Set(Object.values(map))].map((name) => join(folder, name));
}
