/**
 * An update of GRPO on 64 real prompts (Industrial's training rows, items alone) with 16 completions each, a model of width
 * 128 with 4 layers from random weights, optimizer included: ours now against ours at an older commit, in turn, each in a
 * process of its own, both with their defaults and the same rows. No rollout has a hit then, but the KL keeps the gradient
 * of every group.
 */
import { join } from 'node:path';
import { homeFolder } from 'sidlab';
import { industrialShop, randomIndustrialModel } from '../industrial-shop.js';
import { kitAt } from '../kit-at.js';
import { askedPrecision } from '../our-precision.js';
import { inTurn, peerFolder, type Precise, type Timed } from '../peer.js';
import type { Row } from '../row.js';
import { runOurs } from '../run-ours.js';

/** `seconds` of an update, the median. */
export interface GrpoUpdates extends Timed, Precise {
  each: number[];
  /** Through the policy in all updates: of the same rows and rollouts the same. */
  tokens: number;
}

/** Before typed candidates, shared beginnings and parts. */
const COMMIT = '99c940c';
const [ROUNDS, PROMPTS, UPDATES, GOAL] = [3, 64, 4, 0.5];

export async function grpoReal(): Promise<Row[]> {
  const { data, index } = await industrialShop('bench-industrial');
  const model = join(peerFolder({}), 'model');
  await randomIndustrialModel(model, data, index);
  const old = kitAt(COMMIT);
  let runs = 0;
  const update = (kit: string, precision: string): GrpoUpdates => {
    const run = join(model, `run-${runs++}`);
    const sizes = { batchSize: PROMPTS, sampleSize: UPDATES * PROMPTS, epochs: 1, numGenerations: 16 };
    const job = { data, index, model, run, template: 'sids', ...sizes, evalSteps: 1000, validRows: 1 };
    return runOurs<GrpoUpdates>('train/grpo-real-ours.js', kit, JSON.stringify(job), precision);
  };
  const { times, ours, peer } = await inTurn(
    ROUNDS,
    () => update(homeFolder(), askedPrecision()),
    () => update(old, 'float32'),
  );
  if (typeof peer === 'string') throw new Error(peer); // it is ours, and ran
  const ratio = times.ratio!;
  const said = ({ each, tokens }: GrpoUpdates): string =>
    `${each.map((seconds) => seconds.toFixed(2)).join(' ')} s, ${tokens} tokens`;
  return [
    {
      name: 'grpo-real',
      ...times,
      floor: null,
      unit: 's an update',
      goal: `at most ${GOAL} x`,
      reached: ratio <= GOAL,
      precision: ours.precision!,
      note: `${PROMPTS} prompts x 16; ours ${said(ours)}; at ${COMMIT} ${said(peer)}`,
    },
  ];
}
