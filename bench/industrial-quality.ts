/**
 * The pipeline on real input: `../shared/data/industrial/raw`, the default model, at most fifteen minutes of
 * training on two cores, HR@10 on its test rows against the transition baseline's.
 */
import { join } from 'node:path';
import { homeFolder, runPipeline } from 'sidlab';
import { industrialRaw } from './industrial-shop.js';
import type { Row } from './row.js';

export async function industrialQuality(): Promise<Row[]> {
  const report = await runPipeline(
    {
      out: join(homeFolder(), 'data/industrial'),
      dataset: 'Industrial_and_Scientific',
      filter: industrialRaw(),
      badcase: {},
    },
    (stage) => console.error(stage),
  );
  const { sft } = report.stages;
  console.error(`sft: ${Math.round(sft.seconds)} s, ${sft.steps} steps; best at ${sft.best.step}`);
  const [ours, peer] = [report.models.sft!.item, report.baselines.transition!.item];
  return (['HR@10', 'NDCG@10'] as const).map((unit) => ({
    name: `industrial ${unit} over transition`,
    ours: ours[unit]!,
    peer: peer[unit]!,
    floor: null,
    precision: 'float32',
    peerPrecision: null,
    unit,
    ratio: ours[unit]! / peer[unit]!,
    goal: unit === 'HR@10' ? 'at least .090 / .1095' : 'reported',
    reached: unit === 'HR@10' ? ours[unit]! >= 0.09 : true,
    spread: 0,
  }));
}
