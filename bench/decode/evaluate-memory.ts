/**
 * Peak memory of ranking 64 rows with 50 beams at Qwen2.5-0.5B's shape, above the weights: what `evaluate` takes with its
 * default batch. No peer.
 */
import { askedPrecision, type Precision } from '../our-precision.js';
import { peerFolder, type Timed } from '../peer.js';
import { benchShape } from '../qwen.js';
import { randomModel } from '../random-model.js';
import type { Row } from '../row.js';
import { runOurs } from '../run-ours.js';
import type { BeamJob } from './beam.js';
import { beamProblem } from './beam-problem.js';

export interface EvaluateMemory extends Timed {
  precision: Precision;
  /** Of the process once the weights are loaded, bytes. */
  weights: number;
  /** More than that at the highest, bytes. */
  above: number;
}

const [ROWS, BEAMS, GOAL] = [64, 50, 2.5e9];

export async function evaluateMemory(): Promise<Row[]> {
  const shape = benchShape();
  const job: BeamJob = {
    ...beamProblem(shape.config, ROWS),
    ...{ precision: askedPrecision(), model: randomModel(shape), beams: BEAMS },
  };
  const ours = runOurs<EvaluateMemory>('decode/evaluate-memory-ours.js', peerFolder(job));
  return [
    {
      name: `evaluate-memory${shape.suffix}`,
      ours: ours.above / 1e9,
      peer: null,
      floor: null,
      unit: 'GB',
      ratio: null,
      goal: 'at most 2.5 GB above the weights',
      reached: ours.above <= GOAL,
      spread: 0,
      precision: ours.precision,
      peerPrecision: null,
      note: `${ROWS} rows in ${ours.seconds.toFixed(1)} s; process with its weights ${(ours.weights / 1e9).toFixed(2)} GB`,
    },
  ];
}
