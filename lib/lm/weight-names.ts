/** Hugging Face's names of a decoder's parameters. */

export const EMBEDDING = 'model.embed_tokens.weight';

export const OUTPUT = 'lm_head.weight';

export const FINAL_NORM = 'model.norm.weight';

/** Name of a parameter of decoder layer `layer`, such as `self_attn.q_proj.weight`. */
export function layerWeight(layer: number, part: string): string {
  return `model.layers.${layer}.${part}`;
}
