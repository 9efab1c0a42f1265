/** Estimators and losses on codes against PyTorch's tape, the written-out quantizer, and the absolute error's gradients. */
import * as tf from '@tensorflow/tfjs';
import { beforeAll, describe, expect, test } from 'vitest';
import { useEngine } from '../../../lib/engine/engine.js';
import { type CodeTerms, quantizerGradients, quantizeTaped } from '../../../lib/sid/rqvae/estimators.js';
import { parameterShapes, type RqVaeShape, toVariables } from '../../../lib/sid/rqvae/parameters.js';
import { quantizeBackward, quantizeForward } from '../../../lib/sid/rqvae/quantize.js';
import { lossAndGradients } from '../../../lib/sid/rqvae/step.js';
import { golden, worst } from './golden.js';

beforeAll(async () => void (await useEngine()));

const { quantizer: given } = golden;
const [rows, width] = [given.rows, given.width];
const matrix = (data: number[], columns = width): tf.Tensor2D => tf.tensor2d(data, [data.length / columns, columns]);

function termsOf(names: readonly string[], estimator: CodeTerms['estimator']): CodeTerms {
  const { weights } = given;
  return {
    estimator,
    ...(estimator === 'gumbel' && {
      gumbel: { noise: given.noise.map((n) => matrix(n, n.length / rows)), temperature: given.gumbelTemperature },
    }),
    ...(names.includes('balance') && { balance: { weight: weights.balance, temperature: given.balanceTemperature } }),
    ...(names.includes('collaborative') && {
      collaborative: { weight: weights.collaborative, vectors: matrix(given.collaborative) },
    }),
    ...(names.includes('diversity') && {
      diversity: { weight: weights.diversity, positives: given.positives.map((p) => tf.tensor1d(p, 'int32')) },
    }),
  };
}

describe.each(given.cases)('against PyTorch: $estimator, running means $ema, $terms', (want) => {
  test('values and gradients', () => {
    tf.tidy(() => {
      const [z, books] = [matrix(given.z), given.books.map((book) => matrix(book))];
      const terms = termsOf(want.terms, want.estimator);
      const options = { commitment: given.commitment, ema: want.ema, terms };
      const found = quantizeTaped(z, books, options);
      expect(worst(found.quantized.dataSync(), want.quantized)).toBeLessThan(2e-6);
      expect(found.loss.dataSync()[0]).toBeCloseTo(want.loss, 5);
      expect(found.codes.map((codes) => [...codes.dataSync()])).toEqual(given.sizes.map((_, l) => want.codes.map((path) => path[l]))); // prettier-ignore
      expect(found.terms.map(({ name }) => name)).toEqual(Object.keys(want.values).sort());
      for (const { name, value } of found.terms) expect(value.dataSync()[0], name).toBeCloseTo(want.values[name]!, 5);
      const { latent, codebooks } = quantizerGradients(z, books, options, matrix(given.dQuantized), given.weight);
      expect(worst(latent.dataSync(), want.latent)).toBeLessThan(5e-6);
      expect(codebooks).toHaveLength(want.books?.length ?? 0);
      codebooks.forEach((book, level) => expect(worst(book.dataSync(), want.books![level]!), `level ${level}`).toBeLessThan(5e-6)); // prettier-ignore
    });
  });
});

test('the tape agrees with what is written out, with Sinkhorn and with running means too', () => {
  tf.tidy(() => {
    const [z, books, dQuantized] = [matrix(given.z), given.books.map((book) => matrix(book)), matrix(given.dQuantized)];
    const terms: CodeTerms = { estimator: 'straight-through' };
    const { commitment, weight, sizes } = given;
    for (const epsilons of [
      [0, 0, 0],
      [0.1, 0, 0.1],
    ])
      for (const ema of [false, true]) {
        // prettier-ignore
        const assignment = { epsilons, iterations: 20 };
        const plain = quantizeForward(z, books, commitment, assignment, ema);
        const back = quantizeBackward(plain.tape, dQuantized, sizes, commitment, weight);
        const options = { commitment, assignment, ema, terms };
        const taped = quantizeTaped(z, books, options);
        const own = quantizerGradients(z, books, options, dQuantized, weight);
        expect(worst(taped.quantized.dataSync(), [...plain.quantized.dataSync()])).toBeLessThan(1e-6);
        expect(taped.loss.dataSync()[0]).toBeCloseTo(plain.loss.dataSync()[0]!, 6);
        expect(worst(own.latent.dataSync(), [...back.latent.dataSync()])).toBeLessThan(1e-6);
        own.codebooks.forEach((book, l) => expect(worst(book.dataSync(), [...back.codebooks[l]!.dataSync()])).toBeLessThan(1e-6)); // prettier-ignore
      }
  });
});

test('rotation of a row of zeros, and of one opposite to its code, is finite and gives the code', () => {
  tf.tidy(() => {
    const z = tf.tensor2d([[0, 0], [-1, 0]]); // prettier-ignore
    const books = [tf.tensor2d([[2, 0]])];
    const options = { commitment: 0.25, terms: { estimator: 'rotation' as const } };
    expect([...quantizeTaped(z, books, options).quantized.dataSync()].slice(2)).toEqual([2, 0]);
    const { latent } = quantizerGradients(z, books, options, tf.ones([2, 2]), 1);
    expect([...latent.dataSync()].every(Number.isFinite)).toBe(true);
  });
});

test('a level of a single code has no other: the loss on diversity is 0 and moves nothing', () => {
  tf.tidy(() => {
    const [z, books] = [tf.tensor2d([[1, 2], [3, 4]]), [tf.tensor2d([[5, 6]])]]; // prettier-ignore
    const diversity = (weight: number) => ({ weight, positives: [tf.tensor1d([0], 'int32')] });
    const of = (weight: number) => ({ commitment: 0.25, terms: { estimator: 'straight-through' as const, diversity: diversity(weight) } }); // prettier-ignore
    expect(quantizeTaped(z, books, of(1)).terms[0]!.value.dataSync()[0]).toBe(0);
    const [none, much] = [0, 9].map((weight) => quantizerGradients(z, books, of(weight), tf.onesLike(z), 1));
    expect(much!.latent.dataSync()).toEqual(none!.latent.dataSync());
    expect(much!.codebooks[0]!.dataSync()).toEqual(none!.codebooks[0]!.dataSync());
  });
});

test("the mean absolute error: losses and every gradient as PyTorch's", () => {
  const shape: RqVaeShape = { input: 8, hidden: [6, 5], latent: 3, sizes: [5, 6], batchNorm: false, residual: false };
  const { l1 } = golden;
  const arrays = [...parameterShapes(shape)].map(([name, dims]) => [name, { shape: dims, data: Float32Array.from(l1.before[name]!) }] as const); // prettier-ignore
  const variables = toVariables(new Map(arrays));
  const x = matrix(l1.x, 8);
  const options = { quantLossWeight: given.weight, commitment: given.commitment, reconstructionLoss: 'l1' as const };
  const { losses, gradients } = lossAndGradients(shape, variables, x, options);
  expect(worst(losses.dataSync(), l1.losses)).toBeLessThan(2e-6);
  for (const [name, want] of Object.entries(l1.gradients)) {
    expect(worst(gradients.get(name)!.dataSync(), want), name).toBeLessThan(2e-6);
  }
  tf.dispose([losses, x, ...gradients.values(), ...variables.values()]);
});

test('a step with terms: total is the sum of its weighted parts, running means leave codebooks without a gradient', () => {
  const shape: RqVaeShape = { input: 8, hidden: [6, 5], latent: 3, sizes: [5, 6], batchNorm: false, residual: false };
  const arrays = [...parameterShapes(shape)].map(([name, dims]) => [name, { shape: dims, data: Float32Array.from(golden.l1.before[name]!) }] as const); // prettier-ignore
  const before = tf.memory().numTensors;
  const variables = toVariables(new Map(arrays));
  const x = matrix(golden.l1.x, 8);
  const common = { quantLossWeight: 0.7, commitment: 0.25 };
  const balance = { weight: 0.3, temperature: 1 };
  const found = lossAndGradients(shape, variables, x, { ...common, terms: { estimator: 'rotation', balance } });
  const [total, reconstruction, quantizer, kl] = found.losses.dataSync();
  expect(found.terms).toEqual(['balance']);
  expect(total).toBeCloseTo(reconstruction! + 0.7 * quantizer! + 0.3 * kl!, 5);
  const ema = lossAndGradients(shape, variables, x, { ...common, ema: true });
  expect([...ema.gradients.keys()].filter((name) => name.startsWith('rq.'))).toEqual([]);
  expect(ema.levels.map(({ residuals }) => residuals.shape)).toEqual([[9, 3], [9, 3]]); // prettier-ignore
  for (const { losses, gradients, levels } of [found, ema]) {
    tf.dispose([losses, ...gradients.values(), ...levels.flatMap(({ codes, residuals }) => [codes, residuals])]);
  }
  tf.dispose([x, ...variables.values()]);
  expect(tf.memory().numTensors).toBe(before);
});

test('a step through the tape is the step that is written out: losses, gradients, what running means are to follow', () => {
  const shape: RqVaeShape = { input: 8, hidden: [6, 5], latent: 3, sizes: [5, 6], batchNorm: false, residual: false };
  const arrays = [...parameterShapes(shape)].map(([name, dims]) => [name, { shape: dims, data: Float32Array.from(golden.l1.before[name]!) }] as const); // prettier-ignore
  tf.tidy(() => {
    const [variables, x] = [toVariables(new Map(arrays)), matrix(golden.l1.x, 8)];
    for (const ema of [false, true]) {
      for (const epsilons of [
        [0, 0],
        [0.1, 0],
      ]) {
        const common = { quantLossWeight: 0.7, commitment: 0.25, ema, assignment: { epsilons, iterations: 20 } };
        const plain = lossAndGradients(shape, variables, x, common);
        const terms: CodeTerms = { estimator: 'straight-through' };
        const taped = lossAndGradients(shape, variables, x, { ...common, terms });
        expect(worst(taped.losses.dataSync(), [...plain.losses.dataSync()])).toBeLessThan(1e-6);
        expect([...taped.gradients.keys()].sort()).toEqual([...plain.gradients.keys()].sort());
        for (const [name, gradient] of plain.gradients) expect(worst(taped.gradients.get(name)!.dataSync(), [...gradient.dataSync()]), name).toBeLessThan(1e-6); // prettier-ignore
        expect(plain.levels).toHaveLength(ema ? 2 : 0);
        plain.levels.forEach(({ codes, residuals }, level) => {
          expect(taped.levels[level]!.codes.dataSync()).toEqual(codes.dataSync());
          expect(worst(taped.levels[level]!.residuals.dataSync(), [...residuals.dataSync()])).toBeLessThan(1e-6);
        });
      }
    }
    const codes = (epsilons: number[]) => lossAndGradients(shape, variables, x, { quantLossWeight: 1, commitment: 1, ema: true, assignment: { epsilons, iterations: 20 } }).levels[0]!.codes.dataSync(); // prettier-ignore
    expect(codes([0.1, 0])).not.toEqual(codes([0, 0]));
    const autoencoder = lossAndGradients(shape, variables, x, { quantLossWeight: 1, commitment: 1, quantize: false });
    const [total, reconstruction, quantizer] = autoencoder.losses.dataSync();
    expect([total, quantizer]).toEqual([reconstruction, 0]);
  });
});
