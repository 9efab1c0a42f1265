/** Optimizers and running means against PyTorch. */
import * as tf from '@tensorflow/tfjs';
import { beforeAll, expect, test } from 'vitest';
import { useEngine } from '../../../lib/engine/engine.js';
import { OPTIMIZERS } from '../../../lib/sid/choices.js';
import { EmaCodebooks } from '../../../lib/sid/rqvae/ema-codebooks.js';
import { Optimizer } from '../../../lib/sid/rqvae/optimizer.js';
import { golden, worst } from './golden.js';

beforeAll(async () => void (await useEngine()));

test.each(OPTIMIZERS)('%s: four updates with weight decay, the last two after saving and restoring', (name) => {
  const { begin, gradients, after, rate, decay } = golden.optimizers;
  const before = tf.memory().numTensors;
  const weight = tf.tidy(() => tf.variable(tf.tensor1d(begin)));
  const parameters = new Map([['w', weight]]);
  let optimizer = new Optimizer(parameters, name);
  gradients.forEach((gradient, i) => {
    if (i === 2) {
      const saved = optimizer.save();
      optimizer.dispose();
      optimizer = new Optimizer(parameters, name);
      optimizer.restore(saved);
    }
    const own = tf.tensor1d(gradient);
    optimizer.apply(new Map([['w', own]]), { rate, maxGradNorm: 0, weightDecay: decay });
    own.dispose();
    expect(worst(weight.dataSync(), after[name]![i]!), `update ${i + 1}`).toBeLessThan(2e-6);
  });
  optimizer.dispose();
  weight.dispose();
  expect(tf.memory().numTensors).toBe(before);
});

test('running means of a codebook, saved and restored between', () => {
  const { decay, book, updates } = golden.ema;
  const before = tf.memory().numTensors;
  const variable = tf.tidy(() => tf.variable(tf.tensor2d(book, [4, 3])));
  let ema = new EmaCodebooks(new Map([['book', variable]]), decay);
  updates.forEach(({ codes, rows, book: want }, i) => {
    if (i === 1) {
      const saved = ema.save();
      ema.dispose();
      ema = new EmaCodebooks(new Map([['book', variable]]), decay);
      ema.restore(saved);
    }
    tf.tidy(() => ema.update('book', tf.tensor1d(codes, 'int32'), tf.tensor2d(rows, [5, 3])));
    expect(worst(variable.dataSync(), want), `update ${i + 1}`).toBeLessThan(2e-6);
  });
  expect(() => ema.restore(new Map())).toThrow('expected book.ema_counts in the checkpoint, got none');
  // a code that was reset is where it was put until rows choose it, then it follows them
  tf.tidy(() => variable.assign(tf.tensor2d([9, 9, 9, ...book.slice(3)], [4, 3])));
  ema.anchor();
  tf.tidy(() => ema.update('book', tf.tensor1d([1], 'int32'), tf.tensor2d([[0, 0, 0]])));
  expect(worst(variable.dataSync().slice(0, 3), [9, 9, 9])).toBeLessThan(1e-3);
  ema.dispose();
  variable.dispose();
  expect(tf.memory().numTensors).toBe(before);
});
