/** Files of models that other programs wrote: what else they hold, and of which types. */
import { cpSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { useEngine } from '../../lib/engine/engine.js';
import { readSafetensors } from '../../lib/files/safetensors.js';
import { loadModel } from '../../lib/lm/model.js';
import { InputError } from '../../lib/support/errors.js';

beforeAll(async () => void (await useEngine()));

interface Header {
  [name: string]: { dtype: string; shape: number[]; data_offsets: [number, number] };
}

/** A golden model's folder with some tensors added, replaced or removed; a replaced one keeps its place if its size is the same. */
function variant(
  golden: string,
  change: { add?: Record<string, { dtype: string; shape: number[]; bytes: Uint8Array }>; remove?: string[] },
): string {
  const folder = mkdtempSync(join(tmpdir(), 'sidlab-weights-'));
  cpSync(`test/golden/${golden}`, folder, { recursive: true });
  const file = join(folder, 'model.safetensors');
  const bytes = readFileSync(file);
  const size = Number(bytes.readBigUInt64LE(0));
  const header = JSON.parse(bytes.subarray(8, 8 + size).toString('utf8')) as Header;
  for (const name of change.remove ?? []) delete header[name];
  let data = bytes.subarray(8 + size);
  for (const [name, { dtype, shape, bytes: added }] of Object.entries(change.add ?? {})) {
    header[name] = { dtype, shape, data_offsets: [data.length, data.length + added.length] };
    data = Buffer.concat([data, added]);
  }
  const json = Buffer.from(JSON.stringify(header));
  const first = Buffer.alloc(8);
  first.writeBigUInt64LE(BigInt(json.length));
  writeFileSync(file, Buffer.concat([first, json, data]));
  return folder;
}

const zeros = (
  dtype: string,
  shape: number[],
  size: number,
): { dtype: string; shape: number[]; bytes: Uint8Array } => ({
  dtype,
  shape,
  bytes: new Uint8Array(size),
});

describe("other people's buffers", () => {
  test.each([
    ['F32', 4], ['F16', 2], ['BF16', 2], ['F64', 8], ['I64', 8], ['I32', 4], ['I16', 2], ['U64', 8], ['U32', 4], ['U16', 2],
    ['I8', 1], ['U8', 1], ['BOOL', 1], ['F8_E4M3', 1], ['F8_E5M2', 1], ['C64', 8], ['F4', 0.5], ['Q7_NEW', 3],
  ])('rotary frequencies of type %s', (dtype, bytes) => {
    const folder = variant('qwen2-tied', {
      add: {
        'model.layers.0.self_attn.rotary_emb.inv_freq': zeros(dtype, [2], 2 * bytes),
        'model.layers.1.self_attn.rotary_emb.cos_cached': zeros(dtype, [1, 4], 4 * bytes),
        'model.rotary_emb.inv_freq': zeros(dtype, [2], 2 * bytes),
        'model.layers.1.self_attn.masked_bias': zeros(dtype, [2], 2 * bytes),
      },
    });
    expect(loadModel(folder).weights.size).toBe(loadModel('test/golden/qwen2-tied').weights.size);
  }); // prettier-ignore

  test('a mask, and what is no part of the decoder', () => {
    const folder = variant('qwen2-tied', {
      add: {
        'model.layers.0.self_attn.bias': zeros('BOOL', [4, 4], 16),
        'v_head.summary.weight': zeros('F32', [16], 64),
        'score.weight': zeros('I64', [1], 8),
      },
    });
    expect(() => loadModel(folder)).not.toThrow();
  });

  test('a type of another size than it says is damage all the same', () => {
    const folder = variant('qwen2-tied', { add: { 'model.rotary_emb.inv_freq': zeros('I64', [2], 8) } });
    expect(() => loadModel(folder)).toThrow('the file is damaged');
  });
});

describe('tensors that nobody reads', () => {
  test.each([
    ['llama', 'model.layers.0.self_attn.q_proj.bias'],
    ['llama', 'model.layers.1.self_attn.o_proj.bias'],
    ['llama', 'model.layers.0.mlp.down_proj.bias'],
    ['llama', 'model.layers.0.self_attn.q_norm.weight'],
    ['llama', 'model.layers.2.input_layernorm.weight'],
    ['llama', 'model.layers.0.post_feedforward_layernorm.weight'],
    ['llama', 'model.norm.bias'],
    ['llama', 'lm_head.bias'],
    ['llama', 'model.embed_positions.weight'],
    ['qwen2-tied', 'model.layers.0.self_attn.q_norm.weight'],
    ['qwen2-untied', 'model.layers.0.self_attn.sinks'],
    ['qwen2-tied', 'model.layers.0.mlp.experts.0.up_proj.weight'],
  ])('%s: %s is named', (golden, name) => {
    const folder = variant(golden, { add: { [name]: zeros('F32', [4], 16) } });
    expect(() => loadModel(folder)).toThrow(InputError);
    expect(() => loadModel(folder)).toThrow(`${name} is part of the model, but nothing here computes with it`);
  });

  test('a shard that holds one is seen too', () => {
    const folder = mkdtempSync(join(tmpdir(), 'sidlab-weights-'));
    cpSync('test/golden/qwen3', folder, { recursive: true });
    const file = join(folder, 'model.safetensors.index.json');
    const index = JSON.parse(readFileSync(file, 'utf8')) as { weight_map: Record<string, string> };
    const header = { 'model.layers.0.extra.weight': { dtype: 'F32', shape: [1], data_offsets: [0, 4] } };
    const json = Buffer.from(JSON.stringify(header));
    const first = Buffer.alloc(8);
    first.writeBigUInt64LE(BigInt(json.length));
    writeFileSync(join(folder, 'extra.safetensors'), Buffer.concat([first, json, new Uint8Array(4)]));
    index.weight_map['model.layers.0.extra.weight'] = 'extra.safetensors';
    writeFileSync(file, JSON.stringify(index));
    expect(() => loadModel(folder)).toThrow('model.layers.0.extra.weight is part of the model');
  });
});

describe('tied embeddings with an output layer in the file', () => {
  const golden = readSafetensors('test/golden/qwen2-tied/model.safetensors').get('model.embed_tokens.weight')!;
  const output = (data: Float32Array): string =>
    variant('qwen2-tied', {
      add: { 'lm_head.weight': { dtype: 'F32', shape: golden.shape, bytes: new Uint8Array(data.buffer) } },
    });

  test('the same table is passed over', () => {
    expect(loadModel(output(golden.data.slice())).weights.has('lm_head.weight')).toBe(false);
  });

  test('another one is refused: one of the two is not what the model was', () => {
    const other = golden.data.slice();
    other[other.length - 1]! += 1e-3;
    expect(() => loadModel(output(other))).toThrow('lm_head.weight differs from model.embed_tokens.weight');
  });
});

describe('a quantized checkpoint is called one', () => {
  const name = 'model.layers.0.self_attn.q_proj';
  test.each([
    ['GPTQ', `${name}.qweight`, 'I32'],
    ['AWQ', `${name}.qzeros`, 'I32'],
    ['compressed', `${name}.weight_packed`, 'I32'],
    ['FP8', `${name}.weight_scale_inv`, 'F32'],
    ['bitsandbytes', `${name}.weight.quant_state.bitsandbytes__nf4`, 'U8'],
    ['MLX', `${name}.scales`, 'F16'],
  ])('%s, by %s', (_, tensor, dtype) => {
    const size = { I32: 16, F32: 16, F16: 8, U8: 4 }[dtype]!;
    for (const remove of [[], [`${name}.weight`]]) {
      const folder = variant('llama', { add: { [tensor]: zeros(dtype, [4], size) }, remove });
      expect(() => loadModel(folder)).toThrow(`quantized (${tensor}): take the unquantized model`);
    }
  });

  test.each([['U8', 1], ['I8', 1], ['F8_E4M3', 1], ['F8_E5M2', 1], ['I32', 4]])('by a matrix of %s', (dtype, bytes) => {
    const folder = variant('llama', { add: { [`${name}.weight`]: zeros(dtype, [16, 16], 256 * bytes) } });
    expect(() => loadModel(folder)).toThrow(`quantized (${name}.weight is ${dtype}): take the unquantized model`);
  }); // prettier-ignore

  test('float64 is none, and is not read', () => {
    const folder = variant('llama', { add: { [`${name}.weight`]: zeros('F64', [16, 16], 2048) } });
    expect(() => loadModel(folder)).toThrow(`${name}.weight is F64, expected F32, F16, BF16; convert it in Python`);
  });
});
