/** Parts of an update: whatever the cut, the same gradient; sorted first, fewer tokens; under dropout each text alone. */
import * as tf from '@tensorflow/tfjs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { useEngine } from '../../lib/engine/engine.js';
import { parseShape } from '../../lib/lm/config.js';
import { disposeWeights, randomWeights } from '../../lib/lm/weights.js';
import { Random } from '../../lib/support/random.js';
import type { Example } from '../../lib/tasks/examples.js';
import { batchGradients } from '../../lib/train/loop/gradients.js';
import { type MicroBatchOptions, sftMicroBatches } from '../../lib/train/sft/micro-batches.js';

await useEngine();

const config = parseShape('qwen2:64x2', 40, 0);
const model = { config, weights: randomWeights(config, 1) };
afterAll(() => disposeWeights(model.weights));

/** Three prompts of eight tokens in turn, so that neighbours of the batch never begin alike; an ending each. */
const random = new Random('sft-parts');
const wordings = Array.from({ length: 3 }, (_, w) => [w, ...Array.from({ length: 7 }, () => random.int(40))]);
const examples: Example[] = Array.from({ length: 24 }, (_, i) => {
  const tokens = [...wordings[i % 3]!, ...Array.from({ length: 2 + random.int(4) }, () => random.int(40))];
  const at = [tokens.length - 2, tokens.length - 1];
  return { tokens, labelPositions: at, labels: at.map(() => random.int(40)) };
});
const whole = examples.reduce((sum, { tokens }) => sum + tokens.length, 0);

test.each([
  [1 << 20, 1],
  [60, 5],
  [1, 24],
])('a budget of %i tokens: the gradient of the whole', (tokenBudget, least) => {
  const of = (budget: number, alone: boolean) => {
    // texts stand apart where masks are drawn; of a share this small every entry stays
    const parts = sftMicroBatches(model, examples, {
      tokenBudget: budget,
      ...(alone && { dropout: 1e-9, random: new Random(1) }),
    });
    return { ...batchGradients(model, parts), parts: parts.length, tokens: parts.map((part) => part.tokens) };
  };
  const [separate, cut] = [of(1 << 20, true), of(tokenBudget, false)];
  expect(separate.tokens).toEqual([whole]);
  expect(cut.parts).toBeGreaterThanOrEqual(least);
  expect(cut.loss).toBeCloseTo(separate.loss, 5);
  for (const [name, gradient] of cut.gradients) {
    const other = separate.gradients.get(name)!;
    const [norm, off] = [tf.norm(other), tf.norm(tf.sub(gradient, other))].map((tensor) => tensor.dataSync()[0]!);
    expect(off! / norm!, name).toBeLessThan(1e-5);
  }
  tf.dispose([...separate.gradients.values(), ...cut.gradients.values()]);
});

test('sorted before it is divided: prompts are computed once a micro-batch, not once a text', () => {
  const parts = sftMicroBatches(model, examples, { tokenBudget: 100 });
  const tokens = parts.reduce((sum, part) => sum + part.tokens, 0);
  parts.forEach((part) => part.dispose());
  const endings = whole - 24 * 8;
  expect(tokens).toBeLessThanOrEqual(endings + 8 * (3 + parts.length)); // a prompt may be in two micro-batches
  expect(tokens).toBeLessThan(0.6 * whole);
});

test('under dropout, the adapters’ too, nothing is shared and the order stays', () => {
  const tokens = (dropout: number, of = model): number[] => {
    const parts = sftMicroBatches(of, examples.slice(0, 4), { tokenBudget: 1, dropout, random: new Random(1) });
    parts.forEach((part) => part.dispose());
    return parts.map((part) => part.tokens);
  };
  const own = examples.slice(0, 4).map((example) => example.tokens.length);
  expect(tokens(0.5)).toEqual(own);
  const lora = { rank: 2, alpha: 2, dropout: 0.1, targets: [], modules: [], rslora: false, base: '', newTokens: false };
  expect(tokens(0, { ...model, lora } as typeof model)).toEqual(own);
});

test.each(['shared', 'apart'])('weighted labels: the weighted sum of the examples by themselves (%s)', (how) => {
  const some = examples.slice(0, 6);
  const weighted = some.map((example, i) => ({ ...example, weights: example.labels.map((_, l) => i + l / 2) }));
  const options = { tokenBudget: 60, ...(how === 'apart' && { dropout: 1e-9, random: new Random(1) }) };
  const whole = batchGradients(model, sftMicroBatches(model, weighted, options));
  let loss = 0;
  const sums = new Map<string, tf.Tensor>();
  for (const { weights, ...example } of weighted) {
    weights.forEach((weight, l) => {
      const label = { ...example, labelPositions: [example.labelPositions[l]!], labels: [example.labels[l]!] };
      const own = batchGradients(model, sftMicroBatches(model, [label], { tokenBudget: 60 }));
      loss += (weight * own.loss) / 12; // twelve labels in all, whatever they weigh
      for (const [name, gradient] of own.gradients) {
        const scaled = tf.mul(gradient, weight / 12);
        sums.set(name, sums.has(name) ? tf.add(sums.get(name)!, scaled) : scaled);
      }
    });
  }
  expect(whole.loss).toBeCloseTo(loss, 4);
  for (const [name, gradient] of whole.gradients) {
    const [norm, off] = [tf.norm(sums.get(name)!), tf.norm(tf.sub(gradient, sums.get(name)!))].map((t) => t.dataSync()[0]!); // prettier-ignore
    expect(off! / norm!, name).toBeLessThan(1e-4);
  }
});

test('a label without a weight counts once beside those that have one', () => {
  const [first, second] = examples as [Example, Example];
  const loss = (some: Example[]): number => {
    const { loss: of, gradients } = batchGradients(model, sftMicroBatches(model, some, { tokenBudget: 100 }));
    tf.dispose([...gradients.values()]);
    return of;
  };
  const weighted = { ...first, weights: [0.25, 3] };
  const once = { ...second, weights: [1, 1] };
  expect(loss([weighted, second])).toBeCloseTo(loss([weighted, once]), 6);
  expect(loss([weighted, second])).not.toBeCloseTo(loss([weighted, { ...second, weights: [2, 2] }]), 3);
});

describe('the loss of some examples', () => {
  const lossOf = (options: Partial<MicroBatchOptions>, some = examples.slice(0, 9)) => {
    const parts = sftMicroBatches(model, some, { tokenBudget: 1000, ...options });
    const tokens = parts.reduce((sum, part) => sum + part.tokens, 0);
    const { loss, gradients } = batchGradients(model, parts);
    tf.dispose([...gradients.values()]);
    return { loss, tokens };
  };
  let whole: ReturnType<typeof lossOf>;
  beforeAll(() => void (whole = lossOf({})));

  test('is that of the shares of two processes, where it is divided', () => {
    const shares = [0, 1].map((rank) => lossOf({ share: { rank, size: 2 } }));
    for (const { loss } of shares) expect(loss).toBeLessThan(0.8 * whole.loss);
    expect(shares[0]!.loss + shares[1]!.loss).toBeCloseTo(whole.loss, 5);
    expect(shares[0]!.tokens + shares[1]!.tokens).toBeLessThan(whole.tokens + 9); // a prompt may be in both
  });

  test('has no masks unless there is a share of dropout', () => {
    expect(lossOf({ random: new Random(1) })).toEqual(whole);
    const dropped = lossOf({ random: new Random(1), dropout: 0.3 });
    expect(dropped.loss).not.toBeCloseTo(whole.loss, 3);
    expect(lossOf({ random: new Random(2), dropout: 0.3 }).loss).not.toBe(dropped.loss);
  });
});
