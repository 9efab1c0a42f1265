/** What a configuration holds that no file can, and what stages read beside their data: nothing of it is lost on the way. */
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { useEngine } from '../../lib/engine/engine.js';
import { hashFile, readJson, writeAtomic, writeJson } from '../../lib/files/files.js';
import { withCodeOf, withoutCode } from '../../lib/pipeline/code-options.js';
import { type PipelineConfig, readPipelineConfig } from '../../lib/pipeline/config.js';
import { dryRun } from '../../lib/pipeline/dry-run.js';
import { runPipeline } from '../../lib/pipeline/pipeline.js';
import type { ChooseStrategies } from '../../lib/pipeline/rounds.js';
import { PipelineStages } from '../../lib/pipeline/stages.js';

const root = mkdtempSync(join(tmpdir(), 'sidlab-notebook-'));
beforeAll(async () => void (await useEngine()));
afterAll(() => rmSync(root, { recursive: true }));

const tiny = (name: string): PipelineConfig => ({
  ...{ out: join(root, name), dataset: 'tiny', sample: { size: 'tiny' }, sid: { codebookSize: 8 } },
  ...{ sft: { model: 'qwen2:32x1', epochs: 1, validRows: 8 }, evaluate: { numBeams: 10 } },
});

const longer: ChooseStrategies = ({ config }) => ({
  config: { ...config, grpo: { ...config.grpo!, learningRate: 2e-3 } },
  chosen: [{ name: 'x', finding: 'x', value: 1, words: 'x', changes: {}, expected: 'x' }],
});

test('a reward that is a function is the reward of every round', async () => {
  const asked: string[] = [];
  const { grpo, ...rest } = {
    ...tiny('rounds'),
    grpo: { epochs: 0.02, numGenerations: 4, learningRate: 1e-3, validRows: 8 },
  };
  const reward = ({ items }: { items: readonly number[] }): number[] => {
    asked.push('mine');
    return items.map((item) => item % 2);
  };
  const config: PipelineConfig = { ...rest, rounds: 2, baselines: [], grpo: { ...grpo, reward } };
  const report = await runPipeline(config, { strategies: longer });
  expect(report.rounds).toHaveLength(2);
  const runs = ['runs/main/grpo', 'round-2/runs/main/grpo'].map((run) => join(config.out, run, 'config.json'));
  const [first, second] = runs.map((file) => readJson<{ reward: unknown }>(file).reward);
  expect(second).toEqual(first);
  // the file of the second round can be read by itself: it lacks the reward, and says nothing false
  const written = readPipelineConfig(join(config.out, 'round-2', 'optimized_config.json'));
  expect(written.grpo).toEqual({ ...grpo, learningRate: 2e-3 });
  expect(asked.length).toBeGreaterThan(1);
}, 240_000);

test('code leaves a configuration and comes back, in lists and objects too; what was chosen since stays', () => {
  const mine = { name: 'mine', learned: false, quantize: () => ({}) as never };
  const rewards = ['rule', { reward: () => [1], weight: 2 }] as const;
  const config = { ...tiny('x'), sid: { method: mine, seed: 1 }, grpo: { reward: rewards, beta: 0.1 } } as PipelineConfig; // prettier-ignore
  const plain = withoutCode(config);
  expect([plain.sid, plain.grpo]).toEqual([{ seed: 1 }, { beta: 0.1 }]);
  expect(JSON.parse(JSON.stringify(plain))).toEqual(plain);
  expect(withCodeOf(plain, config)).toEqual(config);
  const chosen = { ...plain, sid: { method: 'rqvae' as const } };
  expect(withCodeOf(chosen, config).sid).toEqual({ method: 'rqvae' });
});

test("a reward that reads vectors gets the pipeline's; where there are none that is said before anything runs", async () => {
  const { grpo } = await runPipeline({ ...tiny('semantic'), grpo: { reward: 'semantic', epochs: 0.02, numGenerations: 4, validRows: 8 } }).then(({ stages }) => stages); // prettier-ignore
  expect(grpo!.steps).toBeGreaterThan(0);
  const inputs = readJson<{ inputs: Record<string, string> }>(join(root, 'semantic/runs/main/grpo/config.json')).inputs;
  expect(inputs.embeddings).toBe(hashFile(join(root, 'semantic/tiny.emb-lsa.npy')));
  const own: PipelineConfig = { ...tiny('none'), sft: { index: join(root, 'semantic/tiny.index.json') } };
  for (const [reward, message] of [
    ['rule,semantic:0.5', 'it reads item vectors'],
    ['cosine', 'it compares texts'],
  ]) {
    await expect(dryRun({ ...own, grpo: { reward } } as PipelineConfig)).rejects.toThrow(message);
    await expect(runPipeline({ ...own, grpo: { reward } } as PipelineConfig)).rejects.toThrow(message);
  }
  expect(existsSync(join(root, 'none'))).toBe(false);
}, 120_000);

test('vectors of SIDs are made anew when their index changes', async () => {
  const { out } = tiny('semantic');
  const model = join(out, 'runs/main/sft/model');
  const sidsOf = join(out, 'tiny.index.json');
  const config = { ...tiny('semantic'), embed: { encoder: model, sidsOf, embeddings: join(root, 'sids.npy') } };
  const stages = new PipelineStages(config);
  await stages.embed();
  const before = hashFile(stages.embeddings);
  const { 0: first, 1: second, ...others } = readJson<Record<string, string[]>>(sidsOf);
  const text = readFileSync(sidsOf, 'utf8');
  writeJson(sidsOf, { 0: second, 1: first, ...others });
  await stages.embed();
  expect(hashFile(stages.embeddings)).not.toBe(before);
  writeAtomic(sidsOf, text);
  await stages.embed();
  expect(hashFile(stages.embeddings)).toBe(before);
  const texts = new PipelineStages({ ...config, embed: { ...config.embed, cleanText: true } });
  await expect(texts.embed()).rejects.toThrow('embed: --clean-text: with --sids-of no text is read; leave it out');
});

test('runs of another name have trained baselines of their own', async () => {
  const sasrec = { epochs: 1, width: 8, historyLength: 5 };
  const main = new PipelineStages({ ...tiny('semantic'), sasrec });
  const { training } = await main.baseline('sasrec');
  const before = hashFile(join(training!.model, 'model.safetensors'));
  const other = new PipelineStages({ ...tiny('semantic'), run: 'other', sasrec: { ...sasrec, epochs: 2 } });
  const own = await other.baseline('sasrec');
  expect(own.training!.steps).toBe(2 * training!.steps);
  expect(own.training!.model).toBe(join(other.runs, 'baseline-sasrec', 'model'));
  expect(hashFile(join(training!.model, 'model.safetensors'))).toBe(before);
}, 60_000);
