/**
 * MovieLens 100K, which is dense where Amazon's catalogues are not: the defaults of every stage against a plain PyTorch
 * SASRec on the same rows (8:1:1 in order of time, users and items of five, histories of ten: 78,675 / 9,834 / 9,835
 * rows), three seeds. A run that was cut short is resumed; `SIDLAB_SEEDS=42` (or several, by commas) does less.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { baselineStage, evaluateStage, homeFolder, InputError, PipelineStages, sft } from 'sidlab';
import { meanOf } from '../mean.js';
import type { Row } from '../row.js';
import { listedSeeds } from '../seeds.js';

const METRICS = ['HR@10', 'NDCG@10'] as const;
type Metric = (typeof METRICS)[number];

/** Width 64, 2 blocks, 2 heads, dropout .5, AdamW 1e-3, 256 rows, 15 epochs. */
const SASREC = { 'HR@10': 0.132, 'NDCG@10': 0.064 };
/** Minutes of training that the defaults may take on two cores. */
const MINUTES = 30;

export async function ml100k(): Promise<Row[]> {
  const seeds = listedSeeds('SIDLAB_SEEDS', [42, 43, 44]);
  const raw = join(homeFolder(), '../shared/data/ml-100k');
  if (!existsSync(raw)) throw new InputError(`${raw}: no such folder; the benchmark needs the real data`);
  const data = join(homeFolder(), 'data/ml-100k');
  const filter = { reviews: join(raw, 'ml-100k.inter'), meta: join(raw, 'ml-100k.item') };
  const stages = new PipelineStages({ out: data, dataset: 'ml-100k', filter });
  await stages.filter();
  await stages.embed();
  const { method } = await stages.sid();
  const found: Record<Metric, number[]> = { 'HR@10': [], 'NDCG@10': [] };
  const minutes: number[] = [];
  const notes = [`SIDs by ${method}`];
  for (const seed of seeds) {
    const { model, seconds, best, steps } = await sft({ data, index: stages.index, seed, run: runOf(data, seed) });
    const { item } = await evaluateStage({ data, index: stages.index, model });
    for (const metric of METRICS) found[metric].push(item[metric]!);
    minutes.push(seconds / 60);
    notes.push(
      `seed ${seed}: best at step ${best.step} of ${steps}, ${minutes.at(-1)!.toFixed(1)} minutes of training`,
    );
  }
  for (const baseline of ['popularity', 'transition', 'item-knn'] as const) {
    const { item: counted } = await baselineStage({ data, baseline });
    notes.push(`${baseline} ${counted['HR@10']!.toFixed(4)} / ${counted['NDCG@10']!.toFixed(4)}`);
  }
  return METRICS.map((unit) => {
    const [all, peer] = [found[unit], SASREC[unit]];
    const ours = meanOf(all);
    const note = `${all.map((x) => x.toFixed(4)).join(' ')}; ${notes.join('; ')}`;
    return {
      ...{ name: `ml-100k ${unit} over SASRec`, ours, peer, floor: null, unit, ratio: ours / peer, note },
      ...{ precision: 'float32', peerPrecision: 'float32', spread: Math.max(...all) - Math.min(...all) },
      goal: `at least ${peer} within ${MINUTES} minutes`,
      reached: ours >= peer && Math.max(...minutes) <= MINUTES,
    };
  });
}

/** The first seed's is where `sft` puts a run by default. */
function runOf(data: string, seed: number): string {
  return join(data, 'runs', seed === 42 ? 'sft' : `sft-${seed}`);
}
