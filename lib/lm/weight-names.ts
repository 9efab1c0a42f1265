/** Hugging Face's names of a decoder's parameters. */

export const EMBEDDING = 'model.embed_tokens.weight';

/** Name of the output layer's matrix [V, D]; a tied model has none. */
export const OUTPUT = 'lm_head.weight';

/** Name of the last normalisation's weights [D]. */
export const FINAL_NORM = 'model.norm.weight';

/** Name of a parameter of decoder layer `layer`, such as `self_attn.q_proj.weight`. */
export function layerWeight(layer: number, part: string): string {
  return `model.layers.${layer}.${part}`;
}
