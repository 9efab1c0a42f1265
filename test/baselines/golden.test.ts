/** Trained baselines against PyTorch: scores, losses and gradients of a tiny model (test/golden/baselines). */
import { readFileSync } from 'node:fs';
import * as tf from '@tensorflow/tfjs';
import { beforeAll, expect, test } from 'vitest';
import { ARCHITECTURES } from '../../lib/baselines/sequence/architectures.js';
import {
  binaryLoss,
  propensities,
  robustLoss,
  rowScores,
  targetsLogProbs,
} from '../../lib/baselines/sequence/losses.js';
import { scoreItems } from '../../lib/baselines/sequence/rank-items.js';
import { ITEM_TABLE, type SequenceModel } from '../../lib/baselines/sequence/sequence-model.js';
import { useEngine } from '../../lib/engine/engine.js';
import { toVariable, type Weights } from '../../lib/lm/weights.js';
import { product } from '../../lib/ops/basic.js';
import { onTape } from '../../lib/ops/tape.js';
import { batchGradients } from '../../lib/train/loop/gradients.js';

interface NamedNumbers {
  shape: number[];
  data: number[];
}

interface Golden {
  size: { items: number; longest: number };
  settings: object;
  weights: Record<string, NamedNumbers>;
  histories: number[][];
  targets: number[];
  negatives: number[][];
  robust: { alpha: number; beta: number };
  scores: NamedNumbers;
  losses: Record<'crossEntropy' | 'binary' | 'robust' | 'robustBinary', number>;
  gradients: Record<string, NamedNumbers>;
}

beforeAll(() => useEngine());

async function tiny(name: string) {
  const golden = JSON.parse(
    readFileSync(new URL(`../golden/baselines/${name}.json`, import.meta.url), 'utf8'),
  ) as Golden;
  const architecture = ARCHITECTURES.find((one) => one.name === name)!;
  const model: SequenceModel = (await architecture.load())(golden.size, golden.settings as never);
  const weights: Weights = new Map(
    [...model.shapes].map(([key]) => {
      const { shape, data } = golden.weights[key]!;
      return [key, toVariable({ shape, data: Float32Array.from(data) })];
    }),
  );
  return { golden, model, weights };
}

function expectClose(got: Float32Array, want: readonly number[], what: string, tolerance = 2e-5): void {
  expect(got.length, what).toBe(want.length);
  const largest = got.reduce((most, x, i) => Math.max(most, Math.abs(x - want[i]!)), 0);
  expect(largest, what).toBeLessThan(tolerance);
}

test.each(ARCHITECTURES.map(({ name }) => name))(
  '%s: shapes, scores, losses and gradients as in PyTorch',
  async (name) => {
    const { golden, model, weights } = await tiny(name);
    const { histories, scores, negatives, robust } = golden;
    expect(Object.fromEntries(model.shapes)).toEqual(
      Object.fromEntries(Object.entries(golden.weights).map(([key, { shape }]) => [key, shape])),
    );
    expectClose(
      tf.tidy(() => scoreItems({ model, weights }, histories).dataSync<'float32'>()),
      scores.data,
      'scores',
    );
    const targets = Int32Array.from(golden.targets);
    const drawn = Int32Array.from(negatives.flatMap((items, b) => [targets[b]!, ...items]));
    const table = weights.get(ITEM_TABLE)! as tf.Tensor as tf.Tensor2D;
    const term = { ...robust, weights: tf.tensor1d(propensities(targets, golden.size.items)) };
    const fromHidden = <R extends tf.Rank>(work: (hidden: tf.Tensor2D) => tf.Tensor<R>): tf.Tensor<R> =>
      onTape([...weights.values()], () => work(model.encode(weights, prepared)));
    const losses = {
      crossEntropy: () => tf.neg(tf.mean<tf.Scalar>(fromHidden((hidden) => targetsLogProbs(hidden, table, targets)))),
      binary: () => binaryLoss(fromHidden((hidden) => rowScores(hidden, table, drawn))),
      robust: () =>
        robustLoss(
          fromHidden((hidden) => product(hidden, table)),
          targets,
          undefined,
          term,
        ),
      robustBinary: () =>
        robustLoss(
          fromHidden((hidden) => product(hidden, table)),
          targets,
          drawn,
          term,
        ),
    };
    const prepared = model.prepare(histories);
    for (const [kind, loss] of Object.entries(losses)) {
      const { loss: got, gradients } = batchGradients({ weights }, [
        { tokens: prepared.tokens, dispose: () => undefined, loss },
      ]);
      expect(got, kind).toBeCloseTo(golden.losses[kind as keyof typeof losses], 5);
      if (kind === 'crossEntropy') {
        expect([...gradients.keys()].sort()).toEqual(Object.keys(golden.gradients).sort());
        for (const [key, gradient] of gradients)
          expectClose(gradient.dataSync<'float32'>(), golden.gradients[key]!.data, key);
      }
      tf.dispose([...gradients.values()]);
    }
    prepared.dispose();
  },
);
