/**
 * One step of fine-tuning Qwen2.5-0.5B's shape in float32: 8 texts of 125 tokens, loss on the last 5 of each; ours
 * against Hugging Face's, each in a process of its own (16 GB of memory are needed). Two rows: time and peak memory.
 */
import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { inTurn, peerFolder, runPeer, type Timed } from '../peer.js';
import type { Row } from '../run.js';

/** Qwen2.5-0.5B's `config.json`, what of it matters here. */
export const QWEN = {
  model_type: 'qwen2',
  vocab_size: 151_936,
  hidden_size: 896,
  intermediate_size: 4864,
  num_hidden_layers: 24,
  num_attention_heads: 14,
  num_key_value_heads: 2,
  rms_norm_eps: 1e-6,
  rope_theta: 1e6,
  hidden_act: 'silu',
  tie_word_embeddings: true,
  use_sliding_window: false,
  max_position_embeddings: 32_768,
  eos_token_id: 151_643,
};

export interface StepJob {
  config: typeof QWEN;
  texts: number;
  length: number;
  learnt: number;
  steps: number;
}

interface Stepped extends Timed {
  each: number[];
  /** Of the process, bytes. */
  peak: number;
}

interface OurSteps extends Stepped {
  /** Seconds of one more step by the engine's kernels. */
  byKernel: [name: string, seconds: number][];
}

export async function sftStep(): Promise<Row[]> {
  const job: StepJob = { config: QWEN, texts: 8, length: 125, learnt: 5, steps: 3 };
  const folder = peerFolder(job);
  const script = fileURLToPath(new URL('sft-step-ours.js', import.meta.url));
  const run = (): OurSteps =>
    JSON.parse(
      execFileSync(process.execPath, [script, folder], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] }),
    ) as OurSteps;
  const { times, ours, peer } = await inTurn(1, run, () => runPeer<Stepped & { floor: number }>('sft_step.py', folder));
  const told = typeof peer !== 'string';
  const share = told ? ours.peak / peer.peak : null;
  const list = (seconds: number[]): string => seconds.map((s) => s.toFixed(1)).join(' ');
  return [
    {
      name: 'sft-step',
      ...times,
      floor: told ? peer.floor : null,
      unit: 's',
      goal: 'at most 0.95 x',
      reached: times.ratio !== null && times.ratio <= 0.95,
      spread: Math.max(...ours.each) - Math.min(...ours.each),
      note: `steps ${list(ours.each)}; ${told ? `of Hugging Face ${list(peer.each)}` : peer}; ours by kernel: ${largest(ours)}`,
    },
    {
      name: 'sft-memory',
      ours: ours.peak / 1e9,
      peer: told ? peer.peak / 1e9 : null,
      ratio: share,
      floor: null,
      unit: 'GB',
      goal: 'at most 1.0 x',
      reached: share !== null && share <= 1,
      spread: 0,
    },
  ];
}

function largest({ byKernel }: OurSteps): string {
  const sorted = [...byKernel].sort(([, a], [, b]) => b - a);
  return sorted
    .slice(0, 6)
    .map(([name, seconds]) => `${name} ${seconds.toFixed(2)}`)
    .join(', ');
}
