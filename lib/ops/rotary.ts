/**
 * Rotary position embedding (Su et al., arXiv 2104.09864) in Hugging Face's layout: the two halves of a head are the
 * real and the imaginary part.
 */
import * as tf from '@tensorflow/tfjs';
import { customOp } from './custom-op.js';
import { chooseImplementation, runFused } from './fused.js';

/** Cosines and sines of every node's rotation. N nodes. */
export interface RotaryTable {
  /** [N, 1, headDim / 2] */
  cos: tf.Tensor3D;
  /** [N, 1, headDim / 2] */
  sin: tf.Tensor3D;
}

/** Angles of each token. @param positions [N] @param frequencies [headDim / 2], radians a position */
export function rotaryTable(positions: ArrayLike<number>, frequencies: Float32Array): RotaryTable {
  const half = frequencies.length;
  const cos = new Float32Array(positions.length * half);
  const sin = new Float32Array(positions.length * half);
  for (let n = 0; n < positions.length; n++) {
    for (let i = 0; i < half; i++) {
      const angle = Math.fround(positions[n]! * frequencies[i]!); // in float32, as the reference computes it
      cos[n * half + i] = Math.cos(angle);
      sin[n * half + i] = Math.sin(angle);
    }
  }
  const shape: [number, number, number] = [positions.length, 1, half];
  return { cos: tf.tensor3d(cos, shape), sin: tf.tensor3d(sin, shape) };
}

type Rotate = (x: tf.Tensor, table: RotaryTable, direction: 1 | -1) => tf.Tensor;

const plain: Rotate = (x, { cos, sin }, direction) => {
  const signed = direction === 1 ? sin : tf.neg(sin);
  const [re, im] = tf.split(x, 2, 2) as [tf.Tensor, tf.Tensor]; // each [N, H, headDim / 2]
  return tf.concat([tf.sub(tf.mul(re, cos), tf.mul(im, signed)), tf.add(tf.mul(im, cos), tf.mul(re, signed))], 2);
};

const fused: Rotate = (x, { cos, sin }, direction) =>
  runFused('SidlabRotary', [x, cos, sin, tf.tensor1d([direction])])[0]!;

/** Turns every head of every token by its position. @param x [N, H, headDim] @returns [N, H, headDim] */
export function rotary(x: tf.Tensor3D, table: RotaryTable): tf.Tensor3D {
  const turn = chooseImplementation('SidlabRotary', plain, fused);
  return customOp<tf.Rank.R3>(
    [x],
    (x) => ({ value: turn(x!, table, 1) }),
    (dy) => [turn(dy, table, -1)], // a rotation's transpose turns back
    { keepsInputs: false },
  );
}
