/**
 * The peers themselves, on tiny models, where `npm run setup -- --peers` has installed them (or SIDLAB_PEERS names a
 * Python with them): each runs to its end and prints what the rows read, and the constrained search finds what ours finds.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import * as tf from '@tensorflow/tfjs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { peersPython } from '../../kernels/setup/peers.mjs';
import { beamSearch } from '../../lib/decode/beam-search.js';
import { buildTrie } from '../../lib/decode/item-trie.js';
import { useEngine } from '../../lib/engine/engine.js';
import { parseShape, toHfConfig } from '../../lib/lm/config.js';
import type { LanguageModel } from '../../lib/lm/language-model.js';
import { saveModel } from '../../lib/lm/model.js';
import { randomWeights } from '../../lib/lm/weights.js';
import { Random } from '../../lib/support/random.js';
import { groupAdvantages } from '../../lib/train/grpo/loss/advantages.js';
import { grpoLoss } from '../../lib/train/grpo/loss/grpo-loss.js';
import { rankingReward } from '../../lib/train/grpo/rewards/rewards.js';
import { batchGradients } from '../../lib/train/loop/gradients.js';

const python = peersPython() ?? 'python3';
const found = spawnSync(python, ['-c', 'import torch, transformers, accelerate'], { stdio: 'ignore' }).status === 0;
const skipped = found ? '' : ' (skipped: no peers; npm run setup -- --peers)';
const folder = mkdtempSync(join(tmpdir(), 'sidlab-python-peers-'));
const END = 63;
const config = { ...parseShape('qwen2:32x2', END + 1, END), tieEmbeddings: true };

beforeAll(async () => void (await useEngine()));
afterAll(() => rmSync(folder, { recursive: true }));

function run<T>(script: string, job: object, ...args: string[]): T {
  writeFileSync(join(folder, 'job.json'), JSON.stringify(job));
  const path = fileURLToPath(new URL(`../../bench/peers/${script}`, import.meta.url));
  const env = { ...process.env, OMP_NUM_THREADS: '1' }; // tiny products: threads would only wait for one another
  const { stdout, stderr } = spawnSync(python, [path, folder, ...args], { encoding: 'utf8', env });
  const last = stdout.trim().split('\n').at(-1)!;
  if (!last.startsWith('{')) throw new Error(stderr);
  return JSON.parse(last) as T;
}

/** A model, in the folder too, and what it is asked. */
function search(): { model: LanguageModel; items: number[][]; prompts: number[][] } {
  const model = { config, weights: randomWeights(config, 5) };
  saveModel(join(folder, 'model'), model);
  const random = new Random(3);
  const distinct = new Map<string, number[]>();
  while (distinct.size < 40) {
    const codes = Array.from({ length: 3 }, (_, level) => 20 + 8 * level + random.int(8));
    distinct.set(codes.join(), [...codes, 5, END]);
  }
  const text = (length: number): number[] => Array.from({ length }, () => random.int(20));
  const shared = text(6);
  return { model, items: [...distinct.values()], prompts: Array.from({ length: 3 }, () => [...shared, ...text(6)]) };
}

describe.skipIf(!found)(`peers${skipped}`, () => {
  const rates = { float32: expect.any(Number) as number, bfloat16: expect.any(Number) as number };
  const number = expect.any(Number) as number;

  test.each(['float32', 'autocast', 'bf16'])('train a step in %s', (way) => {
    const job = { config: toHfConfig(config), texts: 2, length: 12, learnt: 3, steps: 2 };
    const stepped = { seconds: number, each: [number, number], peak: number };
    expect(run('sft_step.py', job, way)).toEqual({ precision: way, rates, answers: stepped, whole: stepped });
  });

  test('train on what ours trains on, in the Trainer and by hand', () => {
    const examples = Array.from({ length: 6 }, (_, i) => ({
      tokens: Array.from({ length: 4 + i }, (_, t) => t + 1),
      labelPositions: [2 + i, 3 + i],
      labels: [7, END],
    }));
    const real = { config: toHfConfig(config), examples, microBatch: 2, steps: 2, rate: 1e-3, clip: 1 };
    const trainer = run<object>('sft_real.py', real, 'autocast');
    // three micro-batches, each padded to a multiple of 8
    expect(trainer).toMatchObject({
      precision: 'autocast',
      each: [number, number],
      parts: 3,
      tokens: 2 * (16 + 8 + 8),
    });
    const batches = [[{ tokens: [1, 2, 3, 4], from: 2 }], [{ tokens: [1, 2, 3], from: 2 }]];
    const small = run<object>('sft_small.py', { ...real, weightDecay: 0, batches }, 'bf16');
    expect(small).toMatchObject({ precision: 'bf16', tokens: 7, padded: 7, loss: number });
  });

  test("replay a step's products, and measure the memory", () => {
    const { seconds, bandwidth } = run<{ seconds: Record<string, number>; bandwidth: number }>('products.py', {
      products: [[64, 32, 32, 2]],
      triad: 1 << 16,
    });
    expect(seconds.float32).toBeGreaterThan(0);
    expect(bandwidth).toBeGreaterThan(0);
  });

  test('search with beams as ours does: the same items, the same scores', () => {
    const { model, items, prompts } = search();
    const beams = 8;
    const job = { model: join(folder, 'model'), prompts, items, end: END, beams, wording: 6, precision: 'float32' };
    const peer = run<{ items: number[][]; scores: number[][]; seconds: object }>('beam.py', job);
    const ours = beamSearch(model, buildTrie(items), prompts, { numBeams: beams });
    expect(peer.items).toEqual(ours.map((ranking) => ranking.items));
    const differences = ours.flatMap(({ scores }, u) =>
      scores.map((score, i) => Math.abs(score - peer.scores[u]![i]!)),
    );
    expect(Math.max(...differences)).toBeLessThan(1e-4);
    expect(Object.keys(peer.seconds)).toEqual(['plain', 'wording', 'prompt']);
  });

  test.each(['float32', 'autocast', 'bf16'])('make a step of GRPO in %s; in float32 its gradient is ours', (way) => {
    const { model, items, prompts } = search();
    const [beams, rank] = [8, 3];
    const job = { model: join(folder, 'model'), prompts, items, end: END, beams, beta: 1e-3, rank, steps: 2 };
    const peer = run<{ norm: number }>('grpo_step.py', job, way);
    const phases = { rollout: number, reference: number, policy: number };
    const stepped = { precision: way, rates, seconds: number, each: [number, number], phases, above: number };
    expect(peer).toEqual({ ...stepped, norm: number });
    if (way !== 'float32') return;
    const groups = beamSearch(model, buildTrie(items), prompts, { numBeams: beams }).map(({ items: found }, p) => ({
      prompt: prompts[p]!,
      completions: found.map((item) => items[item]!),
      advantages: groupAdvantages(rankingReward({ items: found, target: found[rank - 1]! })),
    }));
    const { gradients } = batchGradients(model, grpoLoss(model, groups)); // of the KL to itself there is none
    const squares = [...gradients.values()].map((gradient) => tf.sum(tf.square(gradient)).dataSync()[0]!);
    const norm = Math.sqrt(squares.reduce((sum, square) => sum + square, 0));
    expect(Math.abs(peer.norm / norm - 1)).toBeLessThan(1e-4);
  });

  test('choose the precision that was measured as the faster, unless one is asked for', () => {
    const code = [
      'import json, precision',
      'precision.rates = lambda products: {"float32": 2, "bfloat16": 3}',
      'best = precision.choose({}, [])[0]',
      'asked = precision.choose({"precision": "float32"}, [])[0]',
      'print(json.dumps([best, asked, precision.best({"float32": 4, "bfloat16": 3})]))',
    ].join('\n');
    const cwd = fileURLToPath(new URL('../../bench/peers', import.meta.url));
    const { stdout } = spawnSync(python, ['-c', code], { encoding: 'utf8', cwd });
    expect(JSON.parse(stdout)).toEqual(['bfloat16', 'float32', 'float32']);
  });
});
