/**
 * MovieLens 100K, which is dense where Amazon's catalogues are not: the pipeline's defaults against a plain PyTorch SASRec
 * on the same rows (8:1:1 in order of time, users and items of five, histories of ten: 78,675 / 9,834 / 9,835 rows).
 * A run that was cut short is resumed.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { homeFolder, InputError, runPipeline } from 'sidlab';
import type { Row } from '../row.js';

/** Width 64, 2 blocks, 2 heads, dropout .5, AdamW 1e-3, 256 rows, 15 epochs. */
const SASREC = { 'HR@10': 0.132, 'NDCG@10': 0.064 };
/** Minutes of training that the defaults may take on two cores. */
const MINUTES = 30;

export async function ml100k(): Promise<Row[]> {
  const raw = join(homeFolder(), '../shared/data/ml-100k');
  if (!existsSync(raw)) throw new InputError(`${raw}: no such folder; the benchmark needs the real data`);
  const report = await runPipeline(
    {
      out: join(homeFolder(), 'data/ml-100k'),
      dataset: 'ml-100k',
      run: 'bench',
      filter: { reviews: join(raw, 'ml-100k.inter'), meta: join(raw, 'ml-100k.item') },
      baselines: ['popularity', 'transition', 'item-knn'],
    },
    (stage) => console.error(stage),
  );
  const { sft, sid } = report.stages;
  const minutes = sft.seconds / 60;
  const note =
    `SIDs by ${sid!.method}; best at step ${sft.best.step} of ${sft.steps}, ${minutes.toFixed(1)} minutes of training; ` +
    Object.entries(report.baselines)
      .map(([name, { item }]) => `${name} ${item['HR@10']!.toFixed(4)} / ${item['NDCG@10']!.toFixed(4)}`)
      .join(', ');
  return (['HR@10', 'NDCG@10'] as const).map((unit) => {
    const [ours, peer] = [report.models.sft!.item[unit]!, SASREC[unit]];
    return {
      ...{ name: `ml-100k ${unit} over SASRec`, ours, peer, floor: null, unit, ratio: ours / peer, spread: 0, note },
      ...{ precision: 'float32', peerPrecision: 'float32' },
      goal: `at least ${peer} within ${MINUTES} minutes`,
      reached: ours >= peer && minutes <= MINUTES,
    };
  });
}
