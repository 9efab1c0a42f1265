/**
 * One step of fine-tuning Qwen2.5-0.5B's shape: 8 texts of 125 tokens, loss on the last 5 of each; ours against Hugging
 * Face's, each in a process of its own (16 GB of memory are needed), the peer in the faster of its ways. Three rows: time
 * against transformers' own loss, time against logits on the answers alone, peak memory.
 */
import * as tf from '@tensorflow/tfjs';
import { askedPrecision, type AskedPrecision, type Precision } from '../our-precision.js';
import { peerFolder, type Precise, ratesText, type Timed } from '../peer.js';
import { benchShape, type QwenConfig } from '../qwen.js';
import type { Row } from '../row.js';
import { runOurs } from '../run-ours.js';
import { stepFloor, stepProducts } from './step-floor.js';
import { fastest, runWays } from './training-peers.js';

export interface StepJob {
  config: QwenConfig;
  precision: AskedPrecision;
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

export interface OurSteps extends Stepped {
  precision: Precision;
  /** Seconds of one more step by the engine's kernels. */
  byKernel: [name: string, seconds: number][];
}

interface PeerSteps extends Precise {
  /** Logits of every token, as transformers' own loss. */
  whole: Stepped;
  /** Logits of the labelled tokens. */
  answers: Stepped;
}

export async function sftStep(): Promise<Row[]> {
  const { config, suffix } = benchShape();
  const job: StepJob = { config, precision: askedPrecision(), texts: 8, length: 125, learnt: 5, steps: 3 };
  const folder = peerFolder(job);
  const ours = runOurs<OurSteps>('train/sft-step-ours.js', folder);
  const ways = runWays<PeerSteps>('sft_step.py', folder);
  const floor = stepFloor(config, stepProducts(config, job.texts * job.length, job.texts * job.learnt));
  const told = typeof ways !== 'string';
  const said = told ? ways.map(wayText).join('; ') : ways;
  const against = (kind: 'whole' | 'answers', most: number) => {
    const peer = told ? fastest(ways, (way) => way[kind].seconds) : null;
    const ratio = peer && ours.seconds / peer[kind].seconds;
    return {
      ours: ours.seconds,
      peer: peer?.[kind].seconds ?? null,
      ratio,
      floor: floor?.seconds ?? null,
      unit: 's',
      goal: `at most ${most} x, and 1.15 x the floor`,
      reached: ratio !== null && ratio <= most && floor !== null && ours.seconds <= 1.15 * floor.seconds,
      spread: Math.max(...ours.each) - Math.min(...ours.each),
      precision: ours.precision,
      peerPrecision: peer?.precision ?? null,
    };
  };
  const kept = told ? ways[0] : null; // in autocast weights and moments are ours'
  const share = kept && ours.peak / kept.whole.peak;
  const onGpu = (tf.backend() as { isUsingGpuDevice?: boolean }).isUsingGpuDevice === true;
  const rows: Row[] = [
    {
      name: `sft-step${suffix}`,
      ...against('whole', 0.45),
      note: `steps ${list(ours.each)}; Hugging Face ${said}; floor: ${floor?.said}; ours by kernel: ${largest(ours)}`,
    },
    {
      name: `sft-step-answers${suffix}`,
      ...against('answers', 0.85),
      note: told ? ratesText(ways[0]) : ways,
    },
    {
      name: `sft-memory${suffix}`,
      ours: ours.peak / 1e9,
      peer: kept && kept.whole.peak / 1e9,
      ratio: share,
      floor: null,
      unit: 'GB',
      goal: 'at most 0.85 x',
      reached: share !== null && share <= 0.85,
      spread: 0,
      precision: ours.precision,
      peerPrecision: kept?.precision ?? null,
      note: kept ? `with logits on the answers alone it takes ${(kept.answers.peak / 1e9).toFixed(1)} GB` : said,
    },
  ];
  return onGpu ? rows.slice(0, 2) : rows; // the process's memory is not the GPU's
}

const list = (seconds: number[]): string => seconds.map((s) => s.toFixed(2)).join(' ');

function wayText({ precision, whole, answers }: PeerSteps): string {
  return `${precision}: ${list(whole.each)}, on the answers alone ${list(answers.each)}, ${(whole.peak / 1e9).toFixed(1)} GB`;
}

function largest({ byKernel }: OurSteps): string {
  const sorted = [...byKernel].sort(([, a], [, b]) => b - a);
  return sorted
    .slice(0, 6)
    .map(([name, seconds]) => `${name} ${seconds.toFixed(2)}`)
    .join(', ');
}
