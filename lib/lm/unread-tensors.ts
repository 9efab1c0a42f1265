/**
 * Tensors of a model folder that the decoder does not read. Some are harmless (buffers that other code saved along);
 * any other one of a layer means that the model computes something that is not computed here, and is refused by name.
 */
import type { SafetensorsFile } from '../files/safetensors.js';
import { InputError } from '../support/errors.js';
import { quantized } from './config-fields.js';
import { EMBEDDING, OUTPUT } from './weight-names.js';

/** Rotary tables and attention masks, which are computed anew here. */
const BUFFER = /(^|\.)(rotary_emb\.\w+|inv_freq|masked_bias|causal_mask|attn_mask|attention_mask|position_ids)$/;

/** What GPTQ, AWQ, bitsandbytes, compressed-tensors, FP8 and MLX add to a matrix, or put in its place. */
const QUANTIZED = new RegExp(
  String.raw`\.(qweight|qzeros|scales|g_idx|weight_scale(_inv)?|weight_zero_point|weight_packed|weight_shape|` +
    String.raw`input_scale|absmax|quant_map|SCB|weight_format|weight\.(absmax|quant_map|nested_\w+|quant_state\.\w+))$`,
);

/** Parts of the decoder; what lies elsewhere (a value head, a classifier) is another model's. */
const DECODER = /^(model|lm_head)\./;

/**
 * @param fileOf the file of each tensor of the folder
 * @param read names that the decoder reads
 * @param tied whether the output layer is the embedding table
 * @param source the file, for the error's text
 * @throws InputError for a quantized model, and for a tensor of the decoder that nobody reads
 */
export function refuseUnread(
  fileOf: ReadonlyMap<string, SafetensorsFile>,
  read: ReadonlySet<string>,
  tied: boolean,
  source: string,
): void {
  refuseQuantizedTensors(fileOf, read, source);
  for (const [name, file] of fileOf) {
    if (read.has(name) || !DECODER.test(name) || isBuffer(name, file)) continue;
    if (name === OUTPUT && tied) refuseSecondTable(fileOf, source);
    else {
      throw new InputError(
        `${source}: ${name} is part of the model, but nothing here computes with it; take another model`,
      );
    }
  }
}

function isBuffer(name: string, file: SafetensorsFile): boolean {
  return BUFFER.test(name) || file.dtype(name) === 'BOOL'; // a mask under whatever name
}

function refuseQuantizedTensors(
  fileOf: ReadonlyMap<string, SafetensorsFile>,
  read: ReadonlySet<string>,
  source: string,
): void {
  for (const [name, file] of fileOf) {
    const dtype = file.dtype(name);
    if (QUANTIZED.test(name)) throw quantized(source, name);
    if (read.has(name) && /^([IU]\d+|F[468](_\w+)?)$/.test(dtype)) throw quantized(source, `${name} is ${dtype}`);
  }
}

/** Tied embeddings with an output layer in the file: the same bits, or it is not clear which one counts. */
function refuseSecondTable(fileOf: ReadonlyMap<string, SafetensorsFile>, source: string): void {
  const [embedding, output] = [fileOf.get(EMBEDDING), fileOf.get(OUTPUT)!];
  if (embedding && sameBytes(embedding.chunks(EMBEDDING), output.chunks(OUTPUT))) return;
  throw new InputError(
    `${source}: ${OUTPUT} differs from ${EMBEDDING}, but config.json says tie_word_embeddings; set it to false, or remove one`,
  );
}

function sameBytes(a: Generator<Uint8Array>, b: Generator<Uint8Array>): boolean {
  for (;;) {
    const [left, right] = [a.next(), b.next()];
    if (left.done || right.done) return left.done === right.done;
    if (Buffer.compare(left.value, right.value) !== 0) return false;
  }
}
