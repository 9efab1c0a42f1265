/**
 * Fine-tuning Qwen2.5-0.5B's shape in float32 on 512 real prompts of mixed tasks (Industrial, MiniOneRec's mix): tokens
 * of use a second, ours against Hugging Face's Trainer, each in a process of its own (16 GB of memory are needed).
 *
 * The 512 are one update: in the Trainer 32 micro-batches of 16, grouped by length and padded to a multiple of 8; ours as
 * the library cuts it. Both measure some of their micro-batches or parts, spread evenly from dear to cheap, and the
 * update itself; the time of all 512 is projected by the tokens, padding included, that go through the model.
 * SIDLAB_BENCH_STEPS: how many of each (default 4; 32 leave nothing to project). SIDLAB_BENCH_LAYERS: fewer, for a trial.
 */
import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { Example } from 'sidlab/tasks';
import { peerFolder, runPeer, type Timed } from '../peer.js';
import type { Row } from '../run.js';
import { mixedExamples } from './sft-real-examples.js';
import { QWEN } from './sft-step.js';

export interface RealJob {
  config: typeof QWEN;
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

export async function sftReal(): Promise<Row[]> {
  const { SIDLAB_BENCH_STEPS: steps = 4, SIDLAB_BENCH_LAYERS: layers = QWEN.num_hidden_layers } = process.env;
  const config = { ...QWEN, num_hidden_layers: Number(layers) };
  const examples = await mixedExamples(512);
  const sizes = { microBatch: 16, tokenBudget: 2048, steps: Number(steps), rate: 1e-5, clip: 1 };
  const folder = peerFolder({ config, examples, ...sizes } satisfies RealJob);
  const script = fileURLToPath(new URL('sft-real-ours.js', import.meta.url));
  const output = execFileSync(process.execPath, [script, folder], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const ours = JSON.parse(output) as Real;
  const peer = runPeer<Real>('sft_real.py', folder);
  const use = examples.reduce((sum, { tokens }) => sum + tokens.length + 1, 0);
  const told = typeof peer !== 'string';
  const ratio = told ? peer.seconds / ours.seconds : null;
  return [
    {
      name: `sft-real${config.num_hidden_layers === QWEN.num_hidden_layers ? '' : `, ${layers} layers`}`,
      ours: use / ours.seconds,
      peer: told ? use / peer.seconds : null,
      floor: null,
      unit: 'tokens of use a second',
      ratio,
      goal: 'at least 1.5 x',
      reached: ratio !== null && ratio >= 1.5,
      spread: 0,
      note: `${use} tokens of use; ours: ${said(ours)}; ${told ? `Trainer: ${said(peer)}` : peer}`,
    },
  ];
}

function said({ seconds, each, update, tokens, parts, peak }: Real): string {
  return (
    `${tokens} through the model, ${each.length} of ${parts} parts measured (${each.map((s) => s.toFixed(1)).join(' ')} s), ` +
    `update ${update.toFixed(1)} s, ${seconds.toFixed(0)} s projected, ${(peak / 1e9).toFixed(1)} GB`
  );
}
