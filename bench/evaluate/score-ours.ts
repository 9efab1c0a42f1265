/** Ours of `score`, in a process of its own. Usage: node score-ours.js FOLDER */
import { join } from 'node:path';
import { scoreStage } from 'sidlab/evaluate';
import type { Scored } from './score.js';

const start = performance.now();
const { files } = await scoreStage({ files: [join(process.argv[2]!, 'results.jsonl')] });
const seconds = (performance.now() - start) / 1000;
const found = files[0]!.metrics.item!;
const metrics: Scored['metrics'] = Object.fromEntries(
  ['HR@10', 'NDCG@10'].map((metric) => {
    const { mean, low, high } = found[metric]!;
    return [metric, [mean, low, high]];
  }),
);
console.log(JSON.stringify({ seconds, metrics } satisfies Scored));
