/** In which precision a model's large products are computed. */

/** The precisions; everything but the large products is float32 in both. */
export const PRECISIONS = ['float32', 'bfloat16'] as const;
/** A name of `PRECISIONS`. */
export type Precision = (typeof PRECISIONS)[number];
