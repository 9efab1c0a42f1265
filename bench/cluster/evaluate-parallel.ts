/**
 * `evaluate` by two processes of one thread beside one process of two: Industrial's test rows, 50 beams, a model of width
 * 128 with 4 layers from random weights. Both load the model; the ranking metrics must be the same.
 */
import { join } from 'node:path';
import { industrialShop, randomIndustrialModel } from '../industrial-shop.js';
import { median, peerFolder, type Timed } from '../peer.js';
import type { Row } from '../row.js';
import { inProcesses } from './processes.js';

/** What process 0 measured. */
export interface EvaluatedTogether extends Timed {
  rows: number;
  ndcg: number;
}

const [BEAMS, ROUNDS, GOAL] = [50, 3, 1.05];

export async function evaluateParallel(): Promise<Row[]> {
  const { data, index } = await industrialShop('bench-industrial');
  const model = join(peerFolder({}), 'model');
  await randomIndustrialModel(model, data, index);
  const job = JSON.stringify({ data, index, model, template: 'sids', numBeams: BEAMS, precision: 'float32' });
  const runs: { one: EvaluatedTogether; two: EvaluatedTogether }[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    const of = (processes: number): Promise<EvaluatedTogether> =>
      inProcesses(processes, 'evaluate-parallel-ours.js', job, join(model, `results-${processes}.jsonl`));
    runs.push({ one: await of(1), two: await of(2) });
  }
  const [ours, peer] = [median(runs.map(({ two }) => two.seconds)), median(runs.map(({ one }) => one.seconds))];
  const same = runs.every(({ one, two }) => one.ndcg === two.ndcg && one.rows === two.rows);
  const all = runs.map(({ two }) => two.seconds);
  return [
    {
      name: 'evaluate-parallel',
      ...{ ours, peer, floor: null, unit: 's', ratio: ours / peer, spread: Math.max(...all) - Math.min(...all) },
      goal: `at most ${GOAL} of one process with as many threads, same metrics`,
      reached: ours / peer <= GOAL && same,
      ...{ precision: 'float32', peerPrecision: 'float32' },
      note: `${runs[0]!.one.rows} rows; ${same ? 'same metrics' : 'OTHER METRICS'}`,
    },
  ];
}
