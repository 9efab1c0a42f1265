/** Ours of `load-bf16`, in a process of its own. Usage: node load-bf16-ours.js MODEL-FOLDER */
import * as tf from '@tensorflow/tfjs';
import { loadModel, useEngine } from 'sidlab';
import type { Loaded } from './load.js';
import { fromBfloat16, gatherBfloat16, isBfloat16 } from 'sidlab/ops';
import { inPrecision } from '../our-precision.js';
import type { Precise } from '../peer.js';

/** Rows of a table that are added up at once, and numbers of a matrix that is no table. */
const [ROWS, MATRIX] = [4096, 1 << 23];

await useEngine();
tf.tidy(() => tf.sum(tf.ones([8])).dataSync()); // the engine has started
const loaded = inPrecision('bfloat16', (precision): Loaded & Precise => {
  const before = process.resourceUsage().maxRSS;
  const start = performance.now();
  const { weights } = loadModel(process.argv[2]!, { precision, frozen: true });
  const sums = [...weights.values()].map((weight) => sumOf(weight as tf.Tensor));
  const seconds = (performance.now() - start) / 1000;
  const peak = (process.resourceUsage().maxRSS - before) * 1024;
  return { precision, seconds, peak, sum: sums.reduce((a, b) => a + b, 0) };
});
console.log(JSON.stringify(loaded));

/** Some rows at a time, as PyTorch adds numbers of half precision up: no float32 copy of a whole table. */
function sumOf(weight: tf.Tensor): number {
  if (!isBfloat16(weight) || weight.size < MATRIX) return tf.tidy(() => tf.sum(fromBfloat16(weight)).dataSync()[0]!);
  let sum = 0;
  for (let from = 0; from < weight.shape[0]!; from += ROWS) {
    const ids = Int32Array.from({ length: Math.min(ROWS, weight.shape[0]! - from) }, (_, i) => from + i);
    sum += tf.tidy(() => {
      const rows = gatherBfloat16(weight as tf.Tensor2D, tf.tensor1d(ids, 'int32'));
      return tf.sum(fromBfloat16(rows)).dataSync()[0]!;
    });
  }
  return sum;
}
