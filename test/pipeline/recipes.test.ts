/** Every recipe passes a dry run; a slip in any stage is found before the first one runs. */
import { existsSync, mkdtempSync, readdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { beforeAll, expect, test } from 'vitest';
import { useEngine } from '../../lib/engine/engine.js';
import { readJson, writeJson } from '../../lib/files/files.js';
import { type PipelineConfig, quickstart, readPipelineConfig } from '../../lib/pipeline/config.js';
import { dryRun } from '../../lib/pipeline/dry-run.js';
import { PipelineStages } from '../../lib/pipeline/stages.js';

const recipes = fileURLToPath(new URL('../../recipes', import.meta.url));
const read = (name: string): PipelineConfig => readPipelineConfig(join(recipes, name));
const newFolder = (): string => mkdtempSync(join(tmpdir(), 'sidlab-recipes-'));

beforeAll(async () => void (await useEngine()));

test.each(readdirSync(recipes))('%s passes a dry run, and says what it lacks', async (name) => {
  const config = read(name);
  const { stages, missing, estimate } = await dryRun({ ...config, out: newFolder() });
  const names = stages.map(({ stage }) => stage);
  expect(names).toEqual(expect.arrayContaining(['filter', 'embed', 'sid', 'convert', 'sft', 'evaluate']));
  if (name === 'quickstart.json') {
    expect(missing).toEqual([]);
    expect(estimate).toBe('no estimate: filter, embed and sid have not run yet');
  } else {
    expect(missing.map((line) => line.replace(/^.*?: /, ''))).toEqual([
      ...Array.from({ length: 2 }, () => 'raw data is missing; filter.reviews and filter.meta name it'),
      ...((config.embed?.encoder ?? 'lsa') === 'lsa' ? [] : ["the encoder's folder is missing"]),
      ...(existsSync(config.sft!.model!)
        ? []
        : [
            'the base model is missing; put a folder in the Hugging Face layout or a GGUF file there, or name another sft.model',
          ]),
    ]);
    expect(estimate).toBe('no estimate: something is missing');
  }
});

test('the recipe of the quickstart is the quickstart', () => {
  const {
    $schema: _schema,
    out: _out,
    figures: _figures,
    ...rest
  } = readJson<PipelineConfig & { $schema: string }>(join(recipes, 'quickstart.json'));
  const { out, figures, ...own } = quickstart();
  expect(rest).toEqual(own);
  expect([out, figures].map((path) => path!.split('/').slice(-2).join('/'))).toEqual([_out, _figures]);
});

test('where the data is there, the dry run says what training takes', async () => {
  const config: PipelineConfig = {
    out: newFolder(),
    dataset: 'tiny',
    sample: { size: 'tiny' },
    sid: { codebookSize: 8 },
    sft: { model: 'qwen2:32x1', epochs: 2 },
  };
  const stages = new PipelineStages(config);
  await stages.sample();
  await stages.filter();
  await stages.embed();
  await stages.sid();
  const { sft, estimate, missing } = await dryRun(config);
  expect(missing).toEqual([]);
  expect(sft!.steps).toBeGreaterThan(0);
  expect(estimate).toMatch(/^sft: .* parameters, all of them trained; \d+ updates/);
});

test.each([
  [{ sft: { learningrate: 1 } }, /run\.json: unknown option sft\.learningrate; did you mean sft\.learningRate\?/],
  [{ sft: { schedule: 'step' } }, /expected sft\.schedule to be one of constant, linear, cosine, got "step"/],
  [{ grpo: { epochs: '2' } }, /expected grpo\.epochs to be a number above 0, got "2"/],
  [{ filter: { userK: 2.5 } }, /expected filter\.userK to be a whole number of 1 or more, got 2\.5/],
  [{ sid: { uniform: 1 } }, /expected sid\.uniform to be true or false, got 1/],
  [{ embed: [] }, /expected embed to be an object of options, got \[\]/],
  [{ baselines: ['best'] }, /expected baselines to be some of popularity, transition, .*, got \["best"\]/],
])('%j is reported in a line', (wrong, message) => {
  const file = join(newFolder(), 'run.json');
  writeJson(file, { out: 'x', dataset: 'y', ...wrong });
  expect(() => readPipelineConfig(file)).toThrow(message);
});

test('rules between options are checked in the dry run, too', async () => {
  const config = (sft: PipelineConfig['sft']): PipelineConfig => ({
    out: newFolder(),
    dataset: 'x',
    sample: {},
    sft: sft!,
  });
  await expect(dryRun(config({ tasks: 'nothing' }))).rejects.toThrow('nothing');
  await expect(dryRun(config({ warmupSteps: 3, warmupRatio: 0.1 }))).rejects.toThrow('--warmup-ratio: expected it or');
  await expect(dryRun(config({ lora: true }))).rejects.toThrow('--lora: expected --model to be a folder with weights');
});
