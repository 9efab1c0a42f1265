/** TIGER as a baseline: a data folder and its index -> a run folder -> lists for the test rows. */
import { join } from 'node:path';
import { indexOf } from '../../data/load.js';
import { codeTokens, readIndex } from '../../data/sid-index.js';
import { ensureEngine } from '../../engine/engine.js';
import { writeJson } from '../../files/files.js';
import { writeSafetensors } from '../../files/safetensors.js';
import { disposeWeights, toArrays } from '../../lm/weights.js';
import { runPrecision } from '../../train/loop/run-precision.js';
import type { BaselineContext, BaselineOptions, Ranked } from '../baseline.js';
import { initialWeights, readSequenceWeights } from '../sequence/sequence-files.js';
import { trainedRun } from '../trained-run.js';
import { TIGER_OPTIONS, type TigerSettings } from './tiger-options.js';
import { TABLE, tigerInitial, tigerShapes, type TigerSize } from './tiger-model.js';
import { rankByTiger, tigerTask } from './tiger-task.js';
import { tigerTokens } from './tiger-tokens.js';

/** Trains where that is not done, and ranks the test rows. @throws InputError as the loop does, or for no index */
export async function trainTiger(settings: BaselineOptions & TigerSettings, context: BaselineContext): Promise<Ranked> {
  const { dataset } = context;
  const { dataset: whole, firstItem } = context.joined ?? { dataset, firstItem: 0 };
  const { width, layers, decoderLayers, heads, headWidth, feedForward, index = indexOf(whole) } = settings;
  const { topK = 50, excludeHistory = false, embeddingRate, precision: asked, again } = settings;
  const sids = readIndex(index, whole.items.length).slice(firstItem, firstItem + dataset.items.length);
  const tokens = tigerTokens(sids.map(codeTokens));
  const apart = decoderLayers === undefined || decoderLayers === layers ? {} : { decoderLayers };
  const size: TigerSize = {
    ...{ vocabSize: tokens.vocabSize, width, layers, heads, headWidth, feedForward },
    ...apart,
  };
  const most = dataset.train.reduce((longest, { history }) => Math.max(longest, history.length), 1);
  const longest = Math.min(settings.historyLength ?? most, most);
  const shapes = tigerShapes(size);
  await ensureEngine();
  const precision = runPrecision(context.run, asked, size, again);
  const { decoderLayers: _asked, ...others } = settings;
  const run = { name: 'tiger', options: TIGER_OPTIONS, settings: { ...others, ...apart }, index, precision };
  const training = await trainedRun(run, context, (stamp) => {
    const weights = initialWeights(
      { shapes, initial: (name, random) => tigerInitial(size, name, random) },
      settings.seed,
    );
    const task = tigerTask({ size, weights, tokens, precision }, dataset, { ...settings, longest });
    const save = (at: string): void => {
      writeJson(join(at, 'config.json'), { baseline: 'tiger', size, longest, settings: stamp });
      writeSafetensors(join(at, 'model.safetensors'), toArrays(weights));
    };
    return { weights, task, save, rates: { [TABLE]: embeddingRate } };
  });
  const weights = readSequenceWeights(training.model, { shapes });
  try {
    const lists = { topK, longest, excludeHistory };
    return {
      results: await rankByTiger({ size, weights, tokens, precision }, dataset.test, lists, 'tiger'),
      training,
      precision,
    };
  } finally {
    disposeWeights(weights);
  }
}
