/**
 * MovieLens 100K, which is dense where Amazon's catalogues are not: the defaults of every stage against a plain PyTorch
 * SASRec on the same rows (8:1:1 in order of time, users and items of five, histories of ten: 78,675 / 9,834 / 9,835
 * rows). A run that was cut short is resumed.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { baselineStage, evaluateStage, homeFolder, InputError, PipelineStages, sft } from 'sidlab';
import type { Row } from '../row.js';

/** Width 64, 2 blocks, 2 heads, dropout .5, AdamW 1e-3, 256 rows, 15 epochs. */
const SASREC = { 'HR@10': 0.132, 'NDCG@10': 0.064 };
/** Minutes of training that the defaults may take on two cores. */
const MINUTES = 30;

export async function ml100k(): Promise<Row[]> {
  const raw = join(homeFolder(), '../shared/data/ml-100k');
  if (!existsSync(raw)) throw new InputError(`${raw}: no such folder; the benchmark needs the real data`);
  const data = join(homeFolder(), 'data/ml-100k');
  const filter = { reviews: join(raw, 'ml-100k.inter'), meta: join(raw, 'ml-100k.item') };
  const stages = new PipelineStages({ out: data, dataset: 'ml-100k', filter });
  await stages.filter();
  await stages.embed();
  const { method } = await stages.sid();
  const trained = await sft({ data, index: stages.index });
  const { item } = await evaluateStage({ data, index: stages.index, model: trained.model });
  const notes: string[] = [];
  for (const baseline of ['popularity', 'transition', 'item-knn'] as const) {
    const { item: counted } = await baselineStage({ data, baseline });
    notes.push(`${baseline} ${counted['HR@10']!.toFixed(4)} / ${counted['NDCG@10']!.toFixed(4)}`);
  }
  const minutes = trained.seconds / 60;
  const note = `SIDs by ${method}; best at step ${trained.best.step} of ${trained.steps}, ${minutes.toFixed(1)} minutes of training; ${notes.join(', ')}`;
  return (['HR@10', 'NDCG@10'] as const).map((unit) => {
    const [ours, peer] = [item[unit]!, SASREC[unit]];
    return {
      ...{ name: `ml-100k ${unit} over SASRec`, ours, peer, floor: null, unit, ratio: ours / peer, spread: 0, note },
      ...{ precision: 'float32', peerPrecision: 'float32' },
      goal: `at least ${peer} within ${MINUTES} minutes`,
      reached: ours >= peer && minutes <= MINUTES,
    };
  });
}
