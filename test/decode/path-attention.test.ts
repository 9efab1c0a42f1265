/** Attention of new nodes: the fused implementation against the plain one, on random forests. */
import * as tf from '@tensorflow/tfjs';
import { expect, test } from 'vitest';
import { PaddedAttention } from '../../lib/decode/padded-attention.js';
import { PathAttention } from '../../lib/decode/path-attention.js';
import { useEngine } from '../../lib/engine/engine.js';
import { shareBeginnings } from '../../lib/lm/shared-forest.js';
import { hasFused } from '../../lib/ops/fused.js';
import { Random } from '../../lib/support/random.js';

await useEngine();

test.skipIf(!hasFused('SidlabPathAttention')).each([
  [4, 2, 16, 3],
  [7, 7, 18, 20],
  [6, 1, 64, 40],
  [2, 2, 5, 90],
])('%d heads, %d key heads of width %d, prompts of up to %d tokens', (heads, keyHeads, width, longest) => {
  const random = new Random(`paths/${heads}`);
  const normal = (...shape: [number, number, number]): tf.Tensor3D =>
    tf.tensor3d(
      Float32Array.from({ length: shape[0] * shape[1] * shape[2] }, () => 2 * random.normal()),
      shape,
    );
  const prompts = Array.from({ length: 5 }, () => Array.from({ length: 1 + random.int(longest) }, () => random.int(2)));
  const { forest, ends } = shareBeginnings([...prompts, prompts[0]!]);
  const nodes = forest.token.length;
  const layer = (): { keys: tf.Tensor3D; values: tf.Tensor3D } =>
    ({ keys: normal(nodes, keyHeads, width), values: normal(nodes, keyHeads, width) }); // prettier-ignore
  const layers = [layer(), layer()];
  const copies = layers.map(({ keys, values }) => ({ keys: keys.clone(), values: values.clone() }));
  const [path, padded] = [new PathAttention(layers, forest), new PaddedAttention(copies, forest, ends)];
  const parent = [...forest.parent];
  let largest = 0;
  for (let step = 0; step < 3; step++) {
    const first = parent.length;
    for (let n = 0; n < 60; n++) {
      const grown = parent.length - nodes;
      parent.push(grown > 0 && random.int(3) ? nodes + random.int(grown) : ends[n % 3 === 0 ? 0 : random.int(6)]!);
    }
    const grown = parent.length - nodes;
    const [keys, values] = [normal(grown, keyHeads, width), normal(grown, keyHeads, width)];
    const q = normal(parent.length - first, heads, width);
    for (const at of [0, 1]) {
      const [a, b] = [path, padded].map((of) =>
        tf.tidy(() => of.plan(parent, first, nodes)(at, q, { keys, values })).dataSync(),
      );
      a!.forEach((x, i) => (largest = Math.max(largest, Math.abs(x - b![i]!))));
    }
  }
  process.stderr.write(`attention on paths: largest difference ${largest.toExponential(1)}\n`);
  expect(largest).toBeLessThan(2e-5);
  const before = tf.memory().numTensors;
  path.dispose();
  padded.dispose();
  expect(tf.memory().numTensors).toBe(before - 10); // keys and values of two layers each, and the paths side by side
});
