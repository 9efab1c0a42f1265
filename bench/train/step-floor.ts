/**
 * What no implementation of a training step can beat: the matrix products that the mathematics requires, replayed back to
 * back by the fastest library and precision at hand, and the bytes that AdamW must move, at the measured bandwidth.
 */
import * as tf from '@tensorflow/tfjs';
import { matMulBfloat16, toBfloat16 } from 'sidlab/ops';
import { parseConfig, weightShapes } from 'sidlab/lm';
import type { Precision } from '../our-precision.js';
import { peerFolder, type Rates, runPeer, timed } from '../peer.js';
import type { QwenConfig } from '../qwen.js';

/**
 * A linear layer `times` over: [rows, width] times [out, width] transposed, and the gradients of both; with `forward`
 * without them.
 */
export type Product = readonly [rows: number, width: number, out: number, times: number, passes?: 'forward'];

/** Seconds, and what they are made of in words. */
export interface Floor {
  seconds: number;
  said: string;
}

/** AdamW reads weight, gradient and two moments, and writes weight and moments, four bytes each. */
const BYTES_A_PARAMETER = 28;

/** The linear layers of a step: every decoder layer on all `tokens`, the output layer on the `labels` alone. */
export function stepProducts(config: QwenConfig, tokens: number, labels: number): Product[] {
  const { hidden_size: width, intermediate_size: inner, num_hidden_layers: layers } = config;
  const keys = config.num_key_value_heads * (width / config.num_attention_heads);
  return [
    [tokens, width, width, 2 * layers],
    [tokens, width, keys, 2 * layers],
    [tokens, width, inner, 2 * layers],
    [tokens, inner, width, layers],
    [labels, width, config.vocab_size, 1],
  ];
}

/** The same of a pass that no gradient goes through. */
export function passProducts(config: QwenConfig, tokens: number, scored: number): Product[] {
  return stepProducts(config, tokens, scored).map(([rows, width, out, times]) => [rows, width, out, times, 'forward']);
}

/** @returns null without the peers */
export function stepFloor(config: QwenConfig, products: readonly Product[]): Floor | null {
  const floor = productsFloor(products);
  if (!floor) return null;
  const shapes = [...weightShapes(parseConfig(config, 'config')).values()];
  const bytes = BYTES_A_PARAMETER * shapes.reduce((sum, shape) => sum + tf.util.sizeFromShape(shape), 0);
  const moving = bytes / floor.bandwidth;
  const said = `${floor.said}, AdamW's ${(bytes / 1e9).toFixed(1)} GB in ${moving.toFixed(2)} s at ${(floor.bandwidth / 1e9).toFixed(0)} GB/s`;
  return { seconds: floor.seconds + moving, said };
}

/** The products alone, and bytes a second. @returns null without the peers */
export function productsFloor(products: readonly Product[]): (Floor & { bandwidth: number }) | null {
  const peer = runPeer<{ seconds: Partial<Rates>; bandwidth: number }>('products.py', peerFolder({ products }));
  if (typeof peer === 'string') return null;
  const replays: [name: string, seconds: number][] = [
    ...Object.entries(peer.seconds).map(([precision, seconds]): [string, number] => [`PyTorch ${precision}`, seconds]),
    ...Object.keys(ENGINE).map((precision): [string, number] => [
      `${tf.getBackend()} ${precision}`,
      Math.min(...[0, 1].map(() => replayOnEngine(products, precision as Precision))),
    ]),
  ];
  const least = Math.min(...replays.map(([, seconds]) => seconds));
  const said = `products replayed in ${replays.map(([name, seconds]) => `${seconds.toFixed(2)} s (${name})`).join(', ')}`;
  return { seconds: least, said, bandwidth: peer.bandwidth };
}

/** A product in each precision that the engine has. */
const ENGINE: Record<Precision, Multiply> = {
  float32: (a, b, first, second) => tf.matMul(a, b, first, second),
  bfloat16: (a, b, first, second) => matMulBfloat16(a, b, first, second),
};

/** @param first whether a is transposed @param second whether b is */
type Multiply = (a: tf.Tensor2D, b: tf.Tensor2D, first: boolean, second: boolean) => tf.Tensor2D;

/** A factor as it lies before the product. */
function inPlace(x: tf.Tensor2D, precision: Precision): tf.Tensor2D {
  return precision === 'bfloat16' ? toBfloat16(x) : x;
}

/** Seconds of all products on the engine. */
function replayOnEngine(products: readonly Product[], precision: Precision): number {
  const multiply = ENGINE[precision]!;
  let seconds = 0;
  for (const [rows, width, out, times, passes] of products) {
    const shapes: [number, number][] = [[rows, width], [out, width], [rows, out]]; // prettier-ignore
    const [x, w, y] = shapes.map((shape) => tf.tidy(() => inPlace(tf.randomNormal<tf.Rank.R2>(shape), precision))) as [
      tf.Tensor2D,
      tf.Tensor2D,
      tf.Tensor2D,
    ];
    // forward, gradient of the input, gradient of the weight; an operation ends before its call returns
    const once = (): void =>
      tf.tidy(() => {
        multiply(x, w, false, true);
        if (passes === 'forward') return;
        multiply(y, w, false, false);
        multiply(y, x, true, false);
      });
    once(); // kernels are made at the first call
    seconds += timed(() => Array.from({ length: times }, once)).seconds;
    tf.dispose([x, w, y]);
  }
  return seconds;
}
