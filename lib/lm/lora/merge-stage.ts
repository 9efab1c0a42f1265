/** An adapter and its base become one model folder, which needs neither of them. */
import { resolve } from 'node:path';
import { InputError } from '../../support/errors.js';
import { saveModel } from '../model.js';
import { tokenizerText } from '../tokenizer/tokenizer-text.js';
import { disposeWeights, weightShapes } from '../weights.js';
import { loraMatrices } from './lora.js';
import { foldLora } from './merge.js';
import { loadAdapter } from './peft-files.js';
import { MERGE_OPTIONS, type MergeOptions } from './merge-options.js';

/** What became of the two. */
export interface MergeReport {
  /** Folder of the base. */
  base: string;
  /** Matrices that had an adapter. */
  matrices: number;
  /** Rows of the embedding table. */
  vocabSize: number;
  /** Numbers of the merged model. */
  parameters: number;
  /** Folder that was written. */
  model: string;
}

/** @throws InputError if a file is missing or damaged, the two do not fit, or `out` is one of them */
export function mergeStage(options: MergeOptions): MergeReport {
  const { model: base, adapter, out, ...saving } = MERGE_OPTIONS.parse(options);
  const loaded = loadAdapter(adapter, base);
  const { lora, config } = loaded;
  const plain = foldLora(loaded);
  try {
    if ([adapter, lora!.base].some((folder) => resolve(folder) === resolve(out))) {
      throw new InputError(`--out: expected a folder of its own, got ${out}, which holds the adapter or its base`);
    }
    const holder = plain.folders!.find((folder) => tokenizerText(folder, 'tokenizer.json') !== undefined);
    const tokenizer = holder === undefined ? undefined : { json: tokenizerText(holder, 'tokenizer.json')! };
    saveModel(out, plain, tokenizer, undefined, saving);
    const parameters = [...weightShapes(config).values()].reduce(
      (sum, shape) => sum + shape.reduce((a, b) => a * b, 1),
      0,
    );
    const matrices = loraMatrices(config.layers, lora!).length;
    return { base: lora!.base, matrices, vocabSize: config.vocabSize, parameters, model: out };
  } finally {
    disposeWeights(plain.weights);
  }
}
