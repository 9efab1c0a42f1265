/** One run of `planted-faults`: a shop with a fault, a model trained in it, its results; each kept, so that it resumes. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { evaluateStage, PipelineStages, readResults, sft, writeResults } from 'sidlab';
import { FAULTS, loadShop, writeShop } from 'sidlab/badcase';

/** How large a shop and how long a training. */
export interface PlantedSize {
  size: 'tiny' | 'small';
  epochs: number;
}

/** Half of the quickstart's epochs. */
export const FULL: PlantedSize = { size: 'small', epochs: 8 };

/** NAME of the files. */
export const NAME = 'shop';
/** What models are trained with. */
export const RECIPE = {
  model: 'qwen2:64x2',
  batchSize: 16,
  learningRate: 2e-3,
  warmupSteps: 40,
  dropout: 0.2,
} as const;

/** Where a run's files are: what `badCaseReport` takes. */
export interface PlantedRun {
  data: string;
  results: string;
  index: string;
  model: string;
  embeddings: string;
}

/** @param home folder of all runs; a run whose results are there is not run again */
export async function runPlanted(home: string, name: string, seed: number, how = FULL): Promise<PlantedRun> {
  const { plant } = FAULTS[name]!;
  const base = join(home, `seed-${seed}`);
  const stages = new PipelineStages({ out: base, dataset: NAME, sample: { size: how.size, seed } });
  const data = join(base, name);
  const run = { data, results: join(data, 'results.jsonl'), index: join(data, `${NAME}.index.json`) };
  const embeddings = stages.embeddings;
  const modelOf = (fault: string): string => join(base, fault, 'run/model');
  if (existsSync(run.results)) {
    const { controlModel } = plant(await loadShop(data, run.index, NAME), seed);
    return { ...run, embeddings, model: modelOf(controlModel ? 'control' : name) };
  }
  await stages.sample();
  await stages.filter();
  await stages.embed();
  await stages.sid();
  const shop = await loadShop(base, stages.index, NAME);
  const planted = plant(shop, seed);
  writeShop(data, planted);
  if (planted.controlModel) await runPlanted(home, 'control', seed, how);
  const model = modelOf(planted.controlModel ? 'control' : name);
  if (!planted.controlModel) {
    const trained = planted.trainedOn ? join(data, 'trained') : data;
    if (planted.trainedOn) writeShop(trained, planted, planted.trainedOn);
    const { epochs } = how;
    const options = { ...RECIPE, epochs, evalEpochs: epochs, validRows: 100, seed };
    await sft({ ...options, data: trained, index: run.index, run: join(data, 'run') }, { whenStale: 'replace' });
  }
  await evaluateStage({
    data,
    index: run.index,
    model,
    results: planted.rerank ? join(data, 'plain.jsonl') : run.results,
    ...planted.evaluated,
  });
  if (planted.rerank) writeResults(run.results, planted.rerank(await readResults(join(data, 'plain.jsonl'))));
  return { ...run, embeddings, model };
}
