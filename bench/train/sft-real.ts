/**
 * Fine-tuning Qwen2.5-0.5B's shape on 512 real prompts of mixed tasks (Industrial, MiniOneRec's mix): tokens
 * of use a second, ours against Hugging Face's Trainer in the faster of its ways, each in a process of its own (16 GB of
 * memory are needed).
 *
 * The 512 are one update: in the Trainer 32 micro-batches of 16, grouped by length and padded to a multiple of 8; ours as
 * the library cuts it. Both measure some of their micro-batches or parts, spread evenly from dear to cheap, and the
 * update itself; the time of all 512 is projected by the tokens, padding included, that go through the model.
 * SIDLAB_BENCH_STEPS: how many of each (default 4; 32 leave nothing to project).
 */
import type { Example } from 'sidlab/tasks';
import { askedPrecision, type AskedPrecision, type Precision } from '../our-precision.js';
import { peerFolder, type Precise, ratesText, type Timed } from '../peer.js';
import { benchShape, type QwenConfig } from '../qwen.js';
import type { Row } from '../row.js';
import { runOurs } from '../run-ours.js';
import { mixedExamples } from './sft-real-examples.js';
import { fastest, runWays } from './training-peers.js';

export interface RealJob {
  config: QwenConfig;
  precision: AskedPrecision;
  examples: Example[];
  /** Texts of a micro-batch of the Trainer's. */
  microBatch: number;
  /** Tokens of a micro-batch of ours. */
  tokenBudget: number;
  /** Micro-batches or parts that are measured. */
  steps: number;
  rate: number;
  clip: number;
}

/** `seconds` of all examples, projected. */
interface Real extends Timed {
  /** Seconds of those measured, and of the update. */
  each: number[];
  update: number;
  /** Through the model for all examples, padding included. */
  tokens: number;
  /** Micro-batches or parts of all examples. */
  parts: number;
  /** Of the process, bytes. */
  peak: number;
}

export interface OurReal extends Real {
  precision: Precision;
}

export async function sftReal(): Promise<Row[]> {
  const { config, suffix } = benchShape();
  const steps = Number(process.env.SIDLAB_BENCH_STEPS ?? 4);
  const examples = await mixedExamples(512);
  const sizes = { microBatch: 16, tokenBudget: 2048, steps, rate: 1e-5, clip: 1 };
  const folder = peerFolder({ config, precision: askedPrecision(), examples, ...sizes } satisfies RealJob);
  const ours = runOurs<OurReal>('train/sft-real-ours.js', folder);
  const ways = runWays<Real & Precise>('sft_real.py', folder);
  const use = examples.reduce((sum, { tokens }) => sum + tokens.length + 1, 0);
  const told = typeof ways !== 'string';
  const peer = told ? fastest(ways, ({ seconds }) => seconds) : null;
  const ratio = peer && peer.seconds / ours.seconds;
  const trainer = told
    ? `${ways.map((way) => `Trainer in ${way.precision}: ${said(way)}`).join('; ')}; ${ratesText(ways[0])}`
    : ways;
  return [
    {
      name: `sft-real${suffix}`,
      ours: use / ours.seconds,
      peer: peer && use / peer.seconds,
      floor: null,
      unit: 'tokens of use a second',
      ratio,
      goal: 'at least 2.2 x',
      reached: ratio !== null && ratio >= 2.2,
      spread: 0,
      precision: ours.precision,
      peerPrecision: peer?.precision ?? null,
      note: `${use} tokens of use; ours: ${said(ours)}; ${trainer}`,
    },
  ];
}

function said({ seconds, each, update, tokens, parts, peak }: Real): string {
  return (
    `${tokens} through the model, ${each.length} of ${parts} parts measured (${each.map((s) => s.toFixed(1)).join(' ')} s), ` +
    `update ${update.toFixed(1)} s, ${seconds.toFixed(0)} s projected, ${(peak / 1e9).toFixed(1)} GB`
  );
}
