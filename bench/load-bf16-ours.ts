/** Ours of `load-bf16`, in a process of its own. Usage: node load-bf16-ours.js MODEL-FOLDER */
import * as tf from '@tensorflow/tfjs';
import { loadModel, useEngine } from 'sidlab';
import type { Loaded } from './load.js';
import { fromBfloat16 } from 'sidlab/ops';
import { inPrecision } from './our-precision.js';
import type { Precise } from './peer.js';

await useEngine();
tf.tidy(() => tf.sum(tf.ones([8])).dataSync()); // the engine has started
const loaded = inPrecision('bfloat16', (precision): Loaded & Precise => {
  const before = process.resourceUsage().maxRSS;
  const start = performance.now();
  const { weights } = loadModel(process.argv[2]!, { precision, frozen: true });
  const sums = [...weights.values()].map((weight) =>
    tf.tidy(() => tf.sum(fromBfloat16(weight as tf.Tensor)).dataSync()[0]!),
  );
  const seconds = (performance.now() - start) / 1000;
  const peak = (process.resourceUsage().maxRSS - before) * 1024;
  return { precision, seconds, peak, sum: sums.reduce((a, b) => a + b, 0) };
});
console.log(JSON.stringify(loaded));
