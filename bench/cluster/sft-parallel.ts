/**
 * An update of fine-tuning by two processes of one thread beside one process of two: four layers of Qwen2.5-0.5B's
 * widths, eight micro-batches an update. The cores are the same, so this measures what communication and what is done
 * twice cost.
 */
import { median, peerFolder, type Timed } from '../peer.js';
import { benchShape, type QwenConfig } from '../qwen.js';
import type { Row } from '../row.js';
import { inProcesses } from './processes.js';

/** What a process is to do. */
export interface ParallelJob {
  config: QwenConfig;
  precision: 'float32' | 'bfloat16';
  texts: number;
  length: number;
  learnt: number;
  tokenBudget: number;
  steps: number;
}

/** What it measured: seconds of an update, and of its sums of gradients. */
export interface Updated extends Timed {
  communication: number;
}

const GOAL = 1.15;

export async function sftParallel(): Promise<Row[]> {
  const { config, suffix } = benchShape();
  const job: ParallelJob = {
    config: { ...config, num_hidden_layers: 4, vocab_size: 20_000, eos_token_id: 19_999 },
    ...{ precision: 'float32', texts: 32, length: 126, learnt: 5, tokenBudget: 4 * 125, steps: 3 },
  };
  const folder = peerFolder(job);
  const runs: { one: Updated; two: Updated }[] = [];
  for (let repetition = 0; repetition < 3; repetition++) {
    const one = await inProcesses<Updated>(1, 'sft-parallel-ours.js', folder);
    runs.push({ one, two: await inProcesses<Updated>(2, 'sft-parallel-ours.js', folder) });
  }
  const of = (value: (run: (typeof runs)[number]) => number): number => median(runs.map(value));
  const [ours, peer, communication] = [
    of((r) => r.two.seconds),
    of((r) => r.one.seconds),
    of((r) => r.two.communication),
  ];
  const all = runs.map(({ two }) => two.seconds);
  return [
    {
      name: `sft-parallel${suffix}`,
      ...{ ours, peer, floor: null, unit: 's', ratio: ours / peer, spread: Math.max(...all) - Math.min(...all) },
      goal: `${GOAL} of one process with as many threads`,
      reached: ours / peer <= GOAL,
      ...{ precision: 'float32', peerPrecision: 'float32' },
      note: `sums of gradients ${communication.toFixed(2)} s, ${((100 * communication) / ours).toFixed(0)} % of an update`,
    },
  ];
}
