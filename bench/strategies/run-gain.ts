/** One run of `strategy-gain`: a shop with a fault, a model without and one with the strategy, both kept, so that it resumes. */
import { existsSync, mkdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { badCaseReport, evaluateStage, PipelineStages, type PipelineConfig, readResults } from 'sidlab';
import { trainCounts } from 'sidlab/data';
import { readJson, writeJson } from 'sidlab/files';
import { calledFor, readReport, strategies } from 'sidlab/strategies';
import { FAULTS, loadShop, type PlantedShop, writeShop } from 'sidlab/badcase';
import { NAME, type PlantedSize, RECIPE } from '../planted/run-planted.js';
import type { GainCase } from './cases.js';

/** HR@10 of both models, over the rows that the strategy is for and over all. */
export interface Gain {
  strategy: string;
  seed: number;
  /** Whether the report of the model without it calls for it. */
  called: boolean;
  rows: { aimed: number; all: number };
  before: { aimed: number; all: number };
  after: { aimed: number; all: number };
  changes: Record<string, unknown>;
  /** Of training both. */
  seconds: number;
}

/** @param home folder of all runs; a run that is done is read */
export async function runGain(home: string, of: GainCase, seed: number, how: PlantedSize): Promise<Gain> {
  const base = join(home, `seed-${seed}`);
  const file = join(base, `${of.strategy}.json`);
  if (existsSync(file)) return readJson<Gain>(file);
  const stages = new PipelineStages({ out: base, dataset: NAME, sample: { size: how.size, seed } });
  await stages.sample();
  await stages.filter();
  await stages.embed();
  await stages.sid();
  const shop = await loadShop(base, stages.index, NAME);
  const planted = keptRows(FAULTS[of.fault]!.plant(shop, seed), of);
  const data = join(base, of.keeps ? of.strategy : of.fault);
  writeShop(data, planted);
  // where only what is asked is another, the shop without a fault has the rows to train on
  const trained = planted.controlModel ? join(base, 'control') : data;
  if (planted.controlModel) writeShop(trained, FAULTS.control!.plant(shop, seed));
  const epochs = Math.max(1, Math.round(how.epochs * (of.epochs ?? 1)));
  const config: PipelineConfig = {
    ...{ out: trained, dataset: NAME, run: of.epochs === undefined ? 'before' : 'brief' },
    sid: { embeddings: stages.embeddings },
    sft: {
      ...RECIPE,
      epochs,
      evalEpochs: Math.max(1, epochs / 4),
      validRows: 300,
      seed,
      index: join(data, `${NAME}.index.json`),
    },
  };
  const before = await ranked(config, data, `${of.strategy}-before`);
  const report = await badCaseReport({
    ...{ data, dataset: NAME, results: before.results, index: before.index, embeddings: stages.embeddings },
    ...{ out: join(base, 'reports', of.strategy), ...(of.epochs !== undefined && { model: before.model }) },
  });
  const read = readReport(report.report);
  const { config: better, chosen } = await strategies({ report: read, config, choose: [of.strategy] });
  const sid = { ...better.sid, index: join(data, `better.index.json`) };
  // one that finds nothing to change leaves everything as it is
  const after =
    chosen.length === 0 ? before : await ranked({ ...better, run: of.strategy, sid }, data, `${of.strategy}-after`);
  const context = { ...planted, counts: trainCounts(planted.dataset.train, planted.dataset.items.length) };
  const hits = { before: before.hits, after: after.hits };
  const aimed = planted.dataset.test.map((row) => of.aims(row, context));
  const share = (list: readonly boolean[]) => ({
    aimed: mean(list.filter((_, row) => aimed[row])),
    all: mean(list),
  });
  const gain: Gain = {
    ...{ strategy: of.strategy, seed, called: calledFor(read).some(({ strategy }) => strategy.name === of.strategy) },
    rows: { aimed: aimed.filter(Boolean).length, all: aimed.length },
    ...{ before: share(hits.before), after: share(hits.after), changes: chosen[0]?.changes ?? {} },
    seconds: before.seconds + after.seconds,
  };
  mkdirSync(dirname(file), { recursive: true });
  writeJson(file, gain);
  return gain;
}

/** The shop with the rows of the case alone. */
function keptRows(planted: PlantedShop, { keeps }: GainCase): PlantedShop {
  if (!keeps) return planted;
  const { train, valid, test } = planted.dataset;
  const [own, asked, tested] = [train, valid, test].map((rows) => rows.filter((row) => keeps(row)));
  return { ...planted, dataset: { ...planted.dataset, train: own!, valid: asked!, test: tested! } };
}

/** Trains, and ranks the test rows of the shop with the fault. */
async function ranked(config: PipelineConfig, data: string, name: string) {
  const stages = new PipelineStages(config);
  if (!stages.ownIndex) await stages.sid();
  const { seconds } = await stages.sft();
  const model = stages.model('sft');
  const results = join(data, `${name}.jsonl`);
  await evaluateStage({ ...config.evaluate, data, dataset: NAME, index: stages.index, model, results });
  const hits = (await readResults(results)).map(({ items, target }) => items.slice(0, 10).includes(target));
  return { hits, results, model, index: stages.index, seconds };
}

function mean(list: readonly boolean[]): number {
  return list.filter(Boolean).length / Math.max(1, list.length);
}
