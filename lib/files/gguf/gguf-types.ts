/**
 * The number formats of GGUF tensors that are read, and how a block of each becomes floats: ggml's `dequantize_row_*`
 * (github.com/ggml-org/ggml, `ggml-quants.c`), the same bits as Python's package `gguf`.
 *
 * A quantized row is cut into blocks of Q numbers with a scale in half precision (and a minimum, or scales of parts).
 */
import { bfloat16ToFloat32, float16ToFloat32, halfToNumber } from '../half-floats.js';

/** A number format of tensors. */
export interface GgufType {
  /** ggml's name. */
  name: string;
  /** Q: numbers of a block. */
  numbers: number;
  /** Bytes of a block. */
  bytes: number;
  /** @param blocks bytes of whole blocks @returns their numbers, in order */
  unpack(blocks: Uint8Array): Float32Array;
}

/** By ggml's number of the format. */
export const GGUF_TYPES: ReadonlyMap<number, GgufType> = new Map([
  [0, { name: 'F32', numbers: 1, bytes: 4, unpack: (raw) => new Float32Array(aligned(raw)) }],
  [1, { name: 'F16', numbers: 1, bytes: 2, unpack: (raw) => float16ToFloat32(new Uint16Array(aligned(raw))) }],
  [30, { name: 'BF16', numbers: 1, bytes: 2, unpack: (raw) => bfloat16ToFloat32(new Uint16Array(aligned(raw))) }],
  [2, blocksOf('Q4_0', 32, 18, unpackQ4of0)],
  [3, blocksOf('Q4_1', 32, 20, unpackQ4of1)],
  [8, blocksOf('Q8_0', 32, 34, unpackQ8of0)],
  [14, blocksOf('Q6_K', 256, 210, unpackQ6K)],
]);

/** ggml's names of formats that are not read, for the error's text. */
export const OTHER_TYPES: Readonly<Record<number, string>> = {
  ...{ 6: 'Q5_0', 7: 'Q5_1', 9: 'Q8_1', 10: 'Q2_K', 11: 'Q3_K', 12: 'Q4_K', 13: 'Q5_K', 15: 'Q8_K' },
  ...{ 16: 'IQ2_XXS', 17: 'IQ2_XS', 18: 'IQ3_XXS', 19: 'IQ1_S', 20: 'IQ4_NL', 21: 'IQ3_S', 22: 'IQ2_S', 23: 'IQ4_XS' },
  ...{ 24: 'I8', 25: 'I16', 26: 'I32', 27: 'I64', 28: 'F64', 29: 'IQ1_M', 34: 'TQ1_0', 35: 'TQ2_0', 39: 'MXFP4' },
};

/** Bytes at the beginning of a buffer of their own. */
function aligned(raw: Uint8Array): ArrayBuffer {
  return raw.slice().buffer;
}

/** Unpacks one block: `raw` from byte `at`, into `out` from `to`. `half` reads a half-precision number at a byte. */
type UnpackBlock = (raw: Uint8Array, at: number, out: Float32Array, to: number, half: (at: number) => number) => void;

function blocksOf(name: string, numbers: number, bytes: number, unpackBlock: UnpackBlock): GgufType {
  const unpack = (raw: Uint8Array): Float32Array => {
    const blocks = raw.length / bytes;
    const out = new Float32Array(blocks * numbers);
    const half = (at: number): number => halfToNumber(raw[at]! | (raw[at + 1]! << 8));
    for (let block = 0; block < blocks; block++) unpackBlock(raw, block * bytes, out, block * numbers, half);
    return out;
  };
  return { name, numbers, bytes, unpack };
}

/** d, then 16 bytes: the low nibbles are numbers 0 to 15, the high ones 16 to 31. x = d (q - 8) */
function unpackQ4of0(...[raw, at, out, to, half]: Parameters<UnpackBlock>): void {
  const scale = half(at);
  for (let i = 0; i < 16; i++) {
    const byte = raw[at + 2 + i]!;
    out[to + i] = scale * ((byte & 15) - 8);
    out[to + 16 + i] = scale * ((byte >> 4) - 8);
  }
}

/** d and m, then nibbles as in Q4_0. x = d q + m */
function unpackQ4of1(...[raw, at, out, to, half]: Parameters<UnpackBlock>): void {
  const [scale, minimum] = [half(at), half(at + 2)];
  for (let i = 0; i < 16; i++) {
    const byte = raw[at + 4 + i]!;
    out[to + i] = scale * (byte & 15) + minimum;
    out[to + 16 + i] = scale * (byte >> 4) + minimum;
  }
}

/** d, then 32 signed bytes. x = d q */
function unpackQ8of0(...[raw, at, out, to, half]: Parameters<UnpackBlock>): void {
  const scale = half(at);
  for (let i = 0; i < 32; i++) out[to + i] = scale * signed(raw[at + 2 + i]!);
}

/**
 * 128 bytes of four low bits, 64 of two high bits, 16 signed scales of 16 numbers each, then d. x = d s (q - 32).
 * Each half of the block has its numbers in four runs of 32, which share bytes of high bits.
 */
function unpackQ6K(...[raw, at, out, to, half]: Parameters<UnpackBlock>): void {
  const d = half(at + 208);
  for (let part = 0; part < 2; part++) {
    const [low, high, scales] = [at + part * 64, at + 128 + part * 32, at + 192 + part * 8];
    for (let i = 0; i < 128; i++) {
      const [run, place] = [i >> 5, i & 31];
      const nibbles = raw[low + (run & 1) * 32 + place]!;
      const four = run < 2 ? nibbles & 15 : nibbles >> 4;
      const two = (raw[high + place]! >> (2 * run)) & 3;
      // the product of d and the scale is rounded to float32 first, as ggml and the Python package do
      const scale = Math.fround(d * signed(raw[scales + (i >> 4)]!));
      out[to + part * 128 + i] = scale * ((four | (two << 4)) - 32);
    }
  }
}

function signed(byte: number): number {
  return (byte << 24) >> 24;
}
