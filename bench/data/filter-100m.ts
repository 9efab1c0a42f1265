/**
 * A hundred million reviews, in part files of ten million, to a 5-core and its split: the time of a row, and the peak of
 * memory, beside ten million in memory. SIDLAB_BENCH_REVIEWS sets another number, and a tenth of it is the other. The
 * files take some 8 GB in `data/bench` and a while to write; they are written once, a part at a time. As many again are
 * temporary while it runs.
 */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { homeFolder } from 'sidlab';
import { generateShop, generateShopInParts, type ShopFiles } from './filter-data.js';
import type { Row } from '../row.js';
import { runOurs } from '../run-ours.js';

const [GOAL, MOST] = [1.5, 3];

interface Filtered {
  seconds: number;
  processor: number;
  peakGB: number;
}

export async function filter100m(): Promise<Row[]> {
  const count = Number(process.env.SIDLAB_BENCH_REVIEWS ?? 1e8);
  const dir = join(homeFolder(), 'data/bench');
  const out = join(dir, 'out-many');
  mkdirSync(out, { recursive: true });
  const filter = ({ reviews, meta }: ShopFiles): Filtered =>
    runOurs<Filtered>('data/filter-ours.js', 'filter', reviews, meta, out);
  const few = filter(await generateShop(dir, count / 10));
  const many = filter(await generateShopInParts(dir, count));
  const each = (run: Filtered, rows: number): number => (1e6 * run.seconds) / rows;
  const [ours, peer] = [each(many, count), each(few, count / 10)];
  return [
    {
      name: `filter-100m, ${count} reviews`,
      ...{ ours, peer, floor: null, unit: 'us a review', ratio: ours / peer, spread: 0 },
      goal: `at most ${GOAL} x a tenth of them, peak at most ${MOST} GB`,
      reached: ours / peer <= GOAL && many.peakGB <= MOST,
      ...{ precision: null, peerPrecision: null },
      note:
        `${many.seconds.toFixed(0)} s (processor ${many.processor.toFixed(0)}) beside ${few.seconds.toFixed(1)} s; ` +
        `peak ${many.peakGB.toFixed(2)} GB beside ${few.peakGB.toFixed(2)}; once each`,
    },
  ];
}
