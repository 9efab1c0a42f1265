/** A decoder as an encoder (Qwen3-Embedding): the last hidden state of each token, behind the final norm. */
import { forwardForest, prepareForest } from '../../lm/decoder.js';
import { chain, packTrees } from '../../lm/forest.js';
import { loadModel } from '../../lm/model.js';
import { disposeWeights } from '../../lm/weights.js';
import { valuesOf } from '../../support/values-of.js';
import type { HiddenStates } from './bert.js';

/** @throws InputError for a folder that is no decoder */
export function loadDecoderStates(folder: string): HiddenStates {
  const { config, weights } = loadModel(folder, { frozen: true });
  const { width } = config;
  return {
    width,
    hidden(batch) {
      const T = batch.reduce((most, { length }) => Math.max(most, length), 1);
      const filled = batch.filter(({ length }) => length > 0);
      const states = new Float32Array(batch.length * T * width);
      if (filled.length === 0) return states;
      // chains end to end, without padding
      const packed = valuesOf(() => {
        const forest = prepareForest(config, packTrees(filled.map((ids) => chain(ids))));
        return forwardForest(config, weights, forest);
      });
      let from = 0;
      batch.forEach((ids, b) => {
        states.set(packed.subarray(from, from + ids.length * width), b * T * width);
        from += ids.length * width;
      });
      return states;
    },
    dispose: () => disposeWeights(weights),
  };
}
