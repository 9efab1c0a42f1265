/**
 * Users a second of `evaluate` on Industrial's test rows (1,946), 50 beams, a model of width 128 with 4 layers from random
 * weights: ours now against ours at an older commit, in turn, each in a process of its own.
 */
import { join } from 'node:path';
import { homeFolder } from 'sidlab';
import { industrialShop, randomIndustrialModel } from '../industrial-shop.js';
import { kitAt } from '../kit-at.js';
import { askedPrecision } from '../our-precision.js';
import { inTurn, peerFolder, type Precise, type Timed } from '../peer.js';
import type { Row } from '../row.js';
import { runOurs } from '../run-ours.js';

export interface Evaluated extends Timed, Precise {
  rows: number;
  hr: number;
  ndcg: number;
}

/** Before precision, shared beginnings and sparse legal scores. */
const COMMIT = '99c940c';
const [BEAMS, ROUNDS, GOAL] = [50, 3, 2.5];

export async function evaluateSmall(): Promise<Row[]> {
  const { data, index } = await industrialShop('bench-industrial');
  const model = join(peerFolder({}), 'model');
  await randomIndustrialModel(model, data, index);
  const old = kitAt(COMMIT);
  const evaluate = (kit: string, precision: string): Evaluated => {
    const job = { data, index, model, template: 'sids', numBeams: BEAMS, results: join(model, 'results.jsonl') };
    return runOurs<Evaluated>('decode/evaluate-small-ours.js', kit, JSON.stringify(job), precision);
  };
  const { times, ours, peer } = await inTurn(
    ROUNDS,
    () => evaluate(homeFolder(), askedPrecision()),
    () => evaluate(old, 'float32'),
  );
  if (typeof peer === 'string') throw new Error(peer); // it is ours, and ran
  const rate = (seconds: number): number => ours.rows / seconds;
  const ratio = times.peer! / times.ours;
  const said = ({ hr, ndcg }: Evaluated): string => `HR@10 ${hr.toFixed(4)}, NDCG@10 ${ndcg.toFixed(4)}`;
  return [
    {
      name: 'evaluate-small',
      ours: rate(times.ours),
      peer: rate(times.peer!),
      floor: null,
      unit: 'users a second',
      ratio,
      goal: `at least ${GOAL} x`,
      reached: ratio >= GOAL,
      spread: rate(times.ours - times.spread / 2) - rate(times.ours + times.spread / 2),
      precision: ours.precision!,
      peerPrecision: times.peerPrecision,
      note: `${ours.rows} rows; ours ${said(ours)}, at ${COMMIT} ${said(peer)}`,
    },
  ];
}
