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

/** A shop without a fault, and where the runs of a seed go that plant one into it. */
export interface PlantBase {
  /** Data folder, with `NAME.item.json` and rows. */
  data: string;
  /** NAME of the files. */
  name: string;
  index: string;
  embeddings: string;
  /** Folder of a seed's runs, one a fault. */
  runs: string;
}

/** @param home folder of all runs; a run whose results are there is not run again */
export async function runPlanted(home: string, fault: string, seed: number, how = FULL): Promise<PlantedRun> {
  const base = join(home, `seed-${seed}`);
  const stages = new PipelineStages({ out: base, dataset: NAME, sample: { size: how.size, seed } });
  await stages.sample();
  await stages.filter();
  await stages.embed();
  await stages.sid();
  const { index, embeddings } = stages;
  return runFault({ data: base, name: NAME, index, embeddings, runs: base }, fault, seed, how.epochs);
}

/** Plants a fault, trains a model where none is lent, and ranks the test rows. */
export async function runFault(base: PlantBase, fault: string, seed: number, epochs: number): Promise<PlantedRun> {
  const { name, embeddings, runs } = base;
  const planted = FAULTS[fault]!.plant(await loadShop(base.data, base.index, name), seed);
  const { controlModel = false, trainedOn, rerank, evaluated } = planted;
  const data = join(runs, fault);
  const model = join(runs, controlModel ? 'control' : fault, 'run/model');
  const run = {
    data,
    index: join(data, `${name}.index.json`),
    results: join(data, 'results.jsonl'),
    model,
    embeddings,
  };
  if (existsSync(run.results)) return run;
  writeShop(data, planted);
  if (controlModel) await runFault(base, 'control', seed, epochs);
  else {
    const trained = trainedOn ? join(data, 'trained') : data;
    if (trainedOn) writeShop(trained, planted, trainedOn);
    const options = { ...RECIPE, epochs, evalEpochs: epochs, validRows: 100, seed };
    await sft({ ...options, data: trained, index: run.index, run: join(data, 'run') }, { whenStale: 'replace' });
  }
  const ranked = rerank ? join(data, 'plain.jsonl') : run.results;
  await evaluateStage({ data, index: run.index, model, results: ranked, ...evaluated });
  if (rerank) writeResults(run.results, rerank(await readResults(ranked)));
  return run;
}
