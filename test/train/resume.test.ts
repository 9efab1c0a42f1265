/**
 * A run that is killed ends on the same bits as one that is not; a folder of another run is refused.
 * The killed process is the built command (`npm test` builds it first).
 */
import { existsSync, mkdtempSync, readdirSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import { filterStage } from '../../lib/data/filter/filter-stage.js';
import { writeSample } from '../../lib/data/sample/sample.js';
import { embedItems } from '../../lib/embed/embed-items.js';
import { useEngine } from '../../lib/engine/engine.js';
import { hashFile } from '../../lib/files/files.js';
import { readMetrics } from '../../lib/runs/metric-lines.js';
import { sidStage } from '../../lib/sid/sid-stage.js';
import { Random } from '../../lib/support/random.js';
import { type SftOptions } from '../../lib/train/sft/sft-options.js';
import { sft } from '../../lib/train/sft/sft.js';
import { expectBuilt, runAndKill as killed } from './grpo/run-and-kill.js';

const folder = mkdtempSync(join(tmpdir(), 'sidlab-resume-'));
const options = (run: string): SftOptions => ({
  data: folder,
  index: join(folder, 'tiny.index.json'),
  run: join(folder, run),
  model: 'qwen2:32x1',
  epochs: 4,
  batchSize: 8,
  evalEpochs: 0.5,
  validRows: 20,
  dropout: 0.2,
});

const runAndKill = (options: SftOptions, lines: number, signal?: NodeJS.Signals): Promise<number | null> =>
  killed('sft', options, lines, signal);

beforeAll(async () => {
  expectBuilt();
  await useEngine();
  const { reviews, meta } = writeSample({ out: join(folder, 'raw'), size: 'tiny' });
  await filterStage({ reviews, meta, out: folder, dataset: 'tiny' });
  await embedItems({ data: folder });
  await sidStage({ embeddings: join(folder, 'tiny.emb-lsa.npy'), codebookSize: 8 });
});

test.each([
  ['plain', {}],
  ['in bfloat16', { precision: 'bfloat16' as const }],
  [
    'filled by tokens, with Muon',
    { optimizer: 'muon' as const, batchTokens: 200, patience: 20, keep: 3, averageDecay: 0.9 },
  ],
  [
    'a mix with texts, layers computed again',
    { tasks: 'seqrec,title2sid:0.5,sid2title:n=10', vocabSize: 300, layerCheckpointing: true, epochs: 2 },
  ],
  ['an adapter', { model: join(folder, 'whole plain', 'model'), lora: true, learningRate: 1e-2 }],
])('killed again and again, it ends on the same bits: %s', async (name, more) => {
  const [one, other] = [`whole ${name}`, `killed ${name}`];
  const whole = await sft({ ...options(one), ...more });
  const random = new Random(5);
  let kills = 0;
  for (let tries = 0; tries < 12 && !existsSync(join(folder, other, 'card.json')); tries++) {
    const status = await runAndKill({ ...options(other), ...more }, kills < 2 ? 1 + random.int(20) : Infinity);
    if (status !== 0) kills++;
  }
  expect(kills).toBeGreaterThanOrEqual(2);
  const report = JSON.parse(readFileSync(join(folder, other, 'card.json'), 'utf8')) as { report: typeof whole };
  expect(report.report.best).toEqual(whole.best);
  expect(weights(other)).toEqual(weights(one));
  const losses = (run: string): unknown[] =>
    readMetrics(join(folder, run, 'metrics.jsonl')).map(({ step, loss, norm }) => [step, loss, norm]);
  expect(losses(other)).toEqual(losses(one));
});

test('an interrupt saves, says so, and is resumed from', async () => {
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    expect(await runAndKill(options('interrupted'), 6, signal)).toBe(1);
    expect(existsSync(join(folder, 'interrupted', 'card.json'))).toBe(false);
  }
  expect(await runAndKill(options('interrupted'), Infinity)).toBe(0);
  expect(weights('interrupted')).toEqual(weights('whole plain'));
});

test('batches cut into parts by the token budget give the same trajectory', async () => {
  const one = await sft({ ...options('one-part'), epochs: 2, dropout: 0 });
  const many = await sft({ ...options('many-parts'), epochs: 2, dropout: 0, tokenBudget: 40 });
  expect(many.steps).toBe(one.steps);
  const last = (run: string): number => readMetrics(join(folder, run, 'metrics.jsonl')).at(-2)!.loss!;
  expect(last('many-parts')).toBeCloseTo(last('one-part'), 3);
});

test('a finished run is not run again, one of another configuration is refused', async () => {
  await sft(options('again'));
  const before = hashFile(join(folder, 'again', 'metrics.jsonl'));
  await sft(options('again'));
  expect(hashFile(join(folder, 'again', 'metrics.jsonl'))).toBe(before);
  await expect(sft({ ...options('again'), learningRate: 0.5 })).rejects.toThrow(
    /config\.json: a run of another configuration \(learningRate is 0\.001 there, 0\.5 here\); give another --run/,
  );
});

test('a loss that is not finite stops the run', async () => {
  const run = { ...options('diverges'), learningRate: 1e30, maxGradNorm: 0, warmupSteps: 0 };
  await expect(sft(run)).rejects.toThrow(/not finite at step \d+; no checkpoint yet; lower --learning-rate/);
});

/** Of everything in the model's folder: weights, or an adapter's. */
function weights(run: string): string[] {
  const model = join(folder, run, 'model');
  const files = readdirSync(model).filter((name) => name.endsWith('.safetensors'));
  expect(files).toHaveLength(1);
  return files.map((name) => hashFile(join(model, name)));
}
