/** References: what stays, what follows, what is shared with the policy, and what a checkpoint keeps. */
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as tf from '@tensorflow/tfjs';
import { beforeAll, describe, expect, test } from 'vitest';
import { useEngine } from '../../../lib/engine/engine.js';
import type { LanguageModel } from '../../../lib/lm/language-model.js';
import { addLora } from '../../../lib/lm/lora/lora.js';
import { parseLora } from '../../../lib/lm/lora/lora-options.js';
import { freeze } from '../../../lib/lm/lora/freeze.js';
import {
  baseReference,
  frozenReference,
  referenceOf,
  synchronisedReference,
} from '../../../lib/train/grpo/reference.js';
import { trainableWeights } from '../../../lib/lm/language-model.js';
import { logProbs, toy } from './toy.js';

beforeAll(async () => void (await useEngine()));

const NORM = 'model.norm.weight';
const TEXT = [[2, 3], [4, 5]] as const; // prettier-ignore
const score = (model: LanguageModel): number[] => logProbs(model, TEXT[0], TEXT[1]);
const nudge = (model: LanguageModel): void =>
  tf.tidy(() => {
    for (const [name, weight] of trainableWeights(model)) weight.assign(tf.add(tf.mul(weight, 1.2), /lora_B/.test(name) ? 0.1 : 0.01)); // prettier-ignore
  });
const value = (model: LanguageModel, name = NORM): number => model.weights.get(name)!.dataSync()[0]!;

describe('frozen', () => {
  test('it stays where the policy moves; what is not trained is shared', () => {
    const { model } = toy();
    const policy = freeze(model, 'embeddings');
    const { model: reference, dispose } = referenceOf(policy);
    const [start, before] = [score(policy), tf.memory().numTensors];
    expect(reference.weights.get('model.embed_tokens.weight')).toBe(policy.weights.get('model.embed_tokens.weight'));
    expect(reference.weights.get(NORM)).not.toBe(policy.weights.get(NORM));
    nudge(policy);
    expect(score(reference)).toEqual(start);
    expect(score(policy)).not.toEqual(start);
    dispose();
    expect(tf.memory().numTensors).toBeLessThan(before);
    expect(score(policy)).not.toEqual(start); // its own weights are there
  });

  test('a model of its own is freed with it', () => {
    const { model } = toy();
    frozenReference(model).dispose();
    expect(model.weights.get(NORM)!.isDisposed).toBe(true);
  });
});

test('synchronised: every n updates a share of the policy, and its state goes through a checkpoint', () => {
  const { model } = toy();
  const reference = synchronisedReference(model, 3, 0.6);
  const start = value(model);
  nudge(model);
  const moved = value(model);
  for (const step of [1, 2]) reference.updated!(step);
  expect(value(reference.model)).toBe(start);
  reference.updated!(3);
  expect(value(reference.model)).toBeCloseTo(0.6 * moved + 0.4 * start, 6);
  reference.updated!(6);
  expect(value(reference.model)).toBeCloseTo(0.6 * moved + 0.4 * (0.6 * moved + 0.4 * start), 6);
  const folder = mkdtempSync(join(tmpdir(), 'sidlab-reference-'));
  reference.state!.save(folder);
  const kept = score(reference.model);
  const other = synchronisedReference(toy().model, 3, 0.6);
  expect(score(other.model)).not.toEqual(kept);
  other.state!.restore(folder);
  expect(score(other.model)).toEqual(kept);
});

describe('base: the model beneath the adapters', () => {
  const adapted = (modules: ('embed_tokens' | 'lm_head')[]): { plain: number[]; policy: LanguageModel } => {
    const { model } = toy();
    const plain = score(model);
    return { plain, policy: addLora(model, parseLora({ rank: 2, modules, dropout: 0 }, 'base', false), 1) };
  };

  test.each([[[]], [['embed_tokens']]] as ('embed_tokens' | 'lm_head')[][][])(
    'tables trained beside them: %j',
    (modules) => {
      const { plain, policy } = adapted(modules);
      const [base, frozen] = [baseReference(policy), referenceOf(policy)];
      nudge(policy);
      expect(score(policy)).not.toEqual(plain);
      expect(score(base.model)).toEqual(plain);
      score(frozen.model).forEach((x, i) => expect(x).toBeCloseTo(plain[i]!, 6)); // B was zero
      expect(base.model.weights.get(NORM)).toBe(policy.weights.get(NORM));
      base.dispose();
      expect(policy.weights.get(NORM)!.isDisposed).toBe(false);
    },
  );

  test('needs adapters', () => {
    expect(() => baseReference(toy().model)).toThrow('expected a model with adapters');
    const split = freeze(toy().model, 'all-but-new-rows', { first: 2, count: 3 });
    expect(() => baseReference(split)).toThrow('expected a model with adapters');
  });
});
