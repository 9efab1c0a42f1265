/** A run knows what it is of: changed rows, texts, validation rows or start weights never meet an old model. */
import { copyFileSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import { baselineStage } from '../../lib/baselines/baseline-stage.js';
import { useEngine } from '../../lib/engine/engine.js';
import { hashFile } from '../../lib/files/files.js';
import type { PipelineConfig } from '../../lib/pipeline/config.js';
import { runPipeline } from '../../lib/pipeline/pipeline.js';
import { PipelineStages } from '../../lib/pipeline/stages.js';
import { grpo } from '../../lib/train/grpo/grpo.js';
import { sft } from '../../lib/train/sft/sft.js';

beforeAll(async () => void (await useEngine()));

const CASES = 'test/cases/stale';
const newFolder = (): string => mkdtempSync(join(tmpdir(), 'sidlab-identity-'));

/** The pipeline on reviews that may change in place. */
function pipelineOn(folder: string): PipelineConfig {
  return {
    out: join(folder, 'out'),
    dataset: 'shop',
    filter: { reviews: join(folder, 'now.jsonl'), meta: `${CASES}/meta.jsonl`, userK: 2, itemK: 1 },
    sft: { model: 'qwen2:32x1', epochs: 1 },
  };
}

const weights = (folder: string): string => hashFile(join(folder, 'out/runs/main/sft/model/model.safetensors'));

test('reviews change, counts stay equal: a new model, the same as from nothing; the old run is kept', async () => {
  const folder = newFolder();
  copyFileSync(`${CASES}/a.jsonl`, join(folder, 'now.jsonl'));
  await runPipeline(pipelineOn(folder));
  const before = weights(folder);
  copyFileSync(`${CASES}/b.jsonl`, join(folder, 'now.jsonl'));
  await runPipeline(pipelineOn(folder));
  const after = weights(folder);
  expect(after).not.toBe(before);
  expect(hashFile(join(folder, 'out/runs/main/sft.before-1/model/model.safetensors'))).toBe(before);
  const fresh = newFolder();
  copyFileSync(`${CASES}/b.jsonl`, join(fresh, 'now.jsonl'));
  await runPipeline(pipelineOn(fresh));
  expect(weights(fresh)).toBe(after);
  await runPipeline(pipelineOn(folder));
  expect(existsSync(join(folder, 'out/runs/main/sft.before-2'))).toBe(false); // nothing has changed
});

test('a baseline that is trained is trained anew likewise; from the shell it is refused', async () => {
  const folder = newFolder();
  copyFileSync(`${CASES}/a.jsonl`, join(folder, 'now.jsonl'));
  const sasrec = { epochs: 1, width: 8, historyLength: 5 };
  const stages = new PipelineStages({ ...pipelineOn(folder), sasrec });
  await stages.filter();
  const { training } = await stages.baseline('sasrec');
  const before = hashFile(join(training!.model, 'model.safetensors'));
  copyFileSync(`${CASES}/b.jsonl`, join(folder, 'now.jsonl'));
  await stages.filter();
  await expect(baselineStage({ ...sasrec, baseline: 'sasrec', data: join(folder, 'out') })).rejects.toThrow('has changed'); // prettier-ignore
  await stages.baseline('sasrec');
  expect(hashFile(join(training!.model, 'model.safetensors'))).not.toBe(before);
  expect(hashFile(join(folder, 'out/runs/baseline-sasrec.before-1/model/model.safetensors'))).toBe(before);
});

test('from the shell each changed input is named and refused; --again keeps the old run', async () => {
  const folder = newFolder();
  copyFileSync(`${CASES}/a.jsonl`, join(folder, 'now.jsonl'));
  const config = pipelineOn(folder);
  const stages = new PipelineStages(config);
  await stages.filter();
  await stages.embed();
  await stages.sid();
  const options = { data: config.out, model: 'qwen2:32x1', epochs: 1 };
  const { model } = await sft(options);
  const inputs = ['shop.item.json', 'shop.train.inter', 'shop.valid.inter', 'shop.test.inter'];
  for (const input of inputs) {
    const file = join(config.out, input);
    const text = readFileSync(file, 'utf8');
    const changed = input.endsWith('json')
      ? text.replace('"title": "', '"title": "X')
      : text.split('\n').toSpliced(1, 1).join('\n');
    expect(changed).not.toBe(text);
    writeFileSync(file, changed);
    await expect(sft(options), input).rejects.toThrow(new RegExp(`${input} has changed|rows is`));
    writeFileSync(file, text);
  }
  expect((await sft(options)).model).toBe(model); // as it was
  const rl = { data: config.out, model, numGenerations: 2, sampleSize: 4, epochs: 1, batchSize: 4, validRows: 4 };
  await grpo(rl);
  const start = join(model, 'model.safetensors');
  const bytes = readFileSync(start);
  bytes[bytes.length - 1]! ^= 1;
  writeFileSync(start, bytes);
  await expect(grpo(rl)).rejects.toThrow('model model.safetensors has changed');
  await sft({ ...options, again: true });
  expect(existsSync(join(config.out, 'runs/sft.before-1/model/model.safetensors'))).toBe(true);
});

test('one’s own vectors and one’s own index are taken, and a foreign file is never overwritten', async () => {
  const folder = newFolder();
  copyFileSync(`${CASES}/a.jsonl`, join(folder, 'now.jsonl'));
  const config = pipelineOn(folder);
  const made = new PipelineStages(config);
  await made.filter();
  await made.embed();
  await made.sid();
  const [vectors, index] = [join(folder, 'own.npy'), join(folder, 'own.index.json')];
  copyFileSync(made.embeddings, vectors);
  copyFileSync(made.index, index);
  rmSync(made.embeddings);
  rmSync(join(config.out, '.stages'), { recursive: true });
  const ownVectors = new PipelineStages({ ...config, sid: { embeddings: vectors } });
  expect(ownVectors.ownEmbeddings).toBe(true);
  await ownVectors.filter();
  expect((await ownVectors.sid()).items).toBeGreaterThan(0);
  expect(existsSync(made.embeddings)).toBe(false);
  const report = await runPipeline({ ...config, run: 'own', sft: { ...config.sft!, index } });
  expect(report.stages).not.toHaveProperty('sid');
  const foreign = new PipelineStages({ ...config, embed: { embeddings: vectors } });
  await expect(foreign.embed()).rejects.toThrow('was not written by this pipeline; to use it, name it sid.embeddings');
});

test('the data set that was asked for is the one that is trained, whatever the folder is called', async () => {
  const folder = newFolder();
  copyFileSync(`${CASES}/a.jsonl`, join(folder, 'now.jsonl'));
  const one = { ...pipelineOn(folder), out: join(folder, 'shop') };
  await new PipelineStages(one).filter();
  const two = { ...one, dataset: 'other', filter: { ...one.filter!, userK: 3 } };
  const report = await runPipeline(two);
  expect(report.stages.sft.model).toContain('shop/runs/main/sft');
  const config = JSON.parse(readFileSync(join(one.out, 'runs/main/sft/config.json'), 'utf8')) as { inputs: object };
  expect(Object.keys(config.inputs)).toContain('other.train.inter');
});
