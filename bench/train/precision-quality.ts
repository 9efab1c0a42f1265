/**
 * Does bfloat16 train as float32 does? The quickstart's model on the sample catalogue and on Industrial, three seeds in each
 * precision: the difference of the means beside the spread of the seeds. Runs are kept in `data/`, so that a second call
 * goes on. On a processor that is slower in bfloat16 it takes longer; the numbers are the same.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { evaluateStage, homeFolder, PipelineStages, quickstart, sft } from 'sidlab';
import { meanOf } from '../mean.js';
import { industrialShop } from '../industrial-shop.js';
import type { Row } from '../row.js';

const SEEDS = [42, 43, 44];
const PRECISIONS = ['float32', 'bfloat16'] as const;
type Precision = (typeof PRECISIONS)[number];

interface Shop {
  name: string;
  data: string;
  index: string;
  /** Options of `sft` beside data, seed and precision. */
  options: object;
}

export async function precisionQuality(): Promise<Row[]> {
  const shops = [await sample()];
  if (existsSync(join(homeFolder(), '../shared/data/industrial/raw'))) {
    shops.push({ name: 'industrial', ...(await industrialShop('precision-industrial')), options: { epochs: 10 } });
  }
  const rows: Row[] = [];
  for (const shop of shops) {
    const found: Record<Precision, number[]> = { float32: [], bfloat16: [] };
    for (const seed of SEEDS) {
      for (const precision of PRECISIONS) {
        const run = join(shop.data, 'runs', `${precision}-${seed}`);
        const where = { data: shop.data, index: shop.index };
        const { model } = await sft({ ...where, ...shop.options, run, seed, precision });
        const { item } = await evaluateStage({ ...where, model, precision });
        found[precision].push(item['NDCG@10']!);
        console.error(JSON.stringify({ shop: shop.name, seed, precision, ...item }));
      }
    }
    rows.push(rowOf(shop.name, found));
  }
  return rows;
}

/** The quickstart's catalogue, filtered, with vectors and SIDs. */
async function sample(): Promise<Shop> {
  const config = quickstart(42);
  const stages = new PipelineStages({ ...config, out: join(homeFolder(), 'data/precision-sample') });
  await stages.sample();
  await stages.filter();
  await stages.embed();
  await stages.sid();
  return { name: 'sample', data: join(homeFolder(), 'data/precision-sample'), index: stages.index, options: {} };
}

function rowOf(name: string, { float32, bfloat16 }: Record<Precision, number[]>): Row {
  const spread = Math.max(...float32) - Math.min(...float32);
  const apart = Math.abs(meanOf(bfloat16) - meanOf(float32));
  const list = (values: number[]): string => values.map((value) => value.toFixed(4)).join(' ');
  return {
    ...{ name: `precision-quality ${name}`, ours: meanOf(bfloat16), peer: meanOf(float32), floor: null },
    ...{ precision: 'bfloat16', peerPrecision: 'float32', unit: 'NDCG@10', ratio: meanOf(bfloat16) / meanOf(float32) },
    ...{ goal: "means no further apart than float32's seeds", reached: apart <= spread, spread },
    note: `float32 ${list(float32)}; bfloat16 ${list(bfloat16)}`,
  };
}
