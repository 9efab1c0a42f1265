/**
 * One process without `TF_CONFIG`, now and at the commit before there were clusters: `evaluate` as `evaluate-small`
 * measures it, in turn. What else changed since then counts too, in either direction.
 */
import { join } from 'node:path';
import { homeFolder } from 'sidlab';
import type { Evaluated } from '../decode/evaluate-small.js';
import { industrialShop, randomIndustrialModel } from '../industrial-shop.js';
import { kitAt } from '../kit-at.js';
import { inTurn, peerFolder } from '../peer.js';
import type { Row } from '../row.js';
import { runOurs } from '../run-ours.js';

/** The commit before `lib/cluster`. */
const BEFORE = '7cc4d44';
const [ROUNDS, GOAL] = [5, 1.02];

export async function clusterOverhead(): Promise<Row[]> {
  const { data, index } = await industrialShop('bench-industrial');
  const model = join(peerFolder({}), 'model');
  await randomIndustrialModel(model, data, index);
  const old = kitAt(BEFORE);
  const job = { data, index, model, template: 'sids', numBeams: 20, results: join(model, 'results.jsonl') };
  const evaluate = (kit: string): Evaluated =>
    runOurs<Evaluated>('decode/evaluate-small-ours.js', kit, JSON.stringify(job), 'float32');
  const { times } = await inTurn(
    ROUNDS,
    () => evaluate(homeFolder()),
    () => evaluate(old),
  );
  return [
    {
      name: 'cluster-overhead',
      ...times,
      ...{ floor: null, unit: 's', precision: 'float32' },
      goal: `at most ${GOAL} of before`,
      reached: times.ratio !== null && times.ratio <= GOAL,
      note: `without TF_CONFIG, beside ${BEFORE}`,
    },
  ];
}
