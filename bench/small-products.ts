/**
 * Products of two small matrices, the engine's kernel against TensorFlow's batched product that it takes the place of, in
 * turn in one process: widths of the quickstart's model and of `qwen2:128x4`, a few rows and many.
 */
import * as tf from '@tensorflow/tfjs';
import { useEngine } from 'sidlab';
import { median } from './peer.js';
import type { Row } from './row.js';

/** Rows, inner and columns; the last is computed by TensorFlow in any case. */
const SHAPES = [
  [16, 64, 64],
  [40, 128, 128],
  [100, 64, 256],
  [590, 128, 100],
  [590, 128, 512],
] as const;
const ROUNDS = 200;

interface NodeBackend {
  binding: { TF_ATTR_TYPE: number; TF_ATTR_BOOL: number };
  executeSingleOutput(name: string, attributes: object[], inputs: tf.Tensor[]): { dataId: object };
  disposeData(dataId: object): boolean;
}

export async function smallProducts(): Promise<Row[]> {
  await useEngine('tensorflow');
  const backend = tf.backend() as unknown as NodeBackend;
  const { TF_ATTR_TYPE, TF_ATTR_BOOL } = backend.binding;
  const flag = (name: string, value: boolean) => ({ name, type: TF_ATTR_BOOL, value });
  const attributes = [{ name: 'T', type: TF_ATTR_TYPE, value: 1 }, flag('adj_x', false), flag('adj_y', true)];
  return SHAPES.map(([rows, inner, columns]): Row => {
    const [x, w] = [tf.randomNormal<tf.Rank.R2>([rows, inner]), tf.randomNormal<tf.Rank.R2>([columns, inner])];
    const ways = {
      ours: () => tf.matMul(x, w, false, true).dispose(),
      peer: () => void backend.disposeData(backend.executeSingleOutput('BatchMatMulV2', attributes, [x, w]).dataId),
    };
    const times = { ours: [] as number[], peer: [] as number[] };
    for (let round = -20; round < ROUNDS; round++) {
      for (const way of ['ours', 'peer'] as const) {
        const start = performance.now();
        ways[way]();
        if (round >= 0) times[way].push(1000 * (performance.now() - start));
      }
    }
    tf.dispose([x, w]);
    const [ours, peer] = [median(times.ours), median(times.peer)];
    const own = rows * inner * columns < 2 ** 23;
    return {
      ...{ name: `small-products ${rows} x ${inner} x ${columns}`, ours, peer, ratio: ours / peer, floor: null },
      ...{ unit: 'us', spread: 0, precision: 'float32', peerPrecision: 'float32' },
      goal: own ? 'at most 1 x' : 'the same kernel',
      reached: !own || ours <= peer,
    };
  });
}
