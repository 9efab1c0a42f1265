/** Runs whose model is trained in part: killed and resumed bit for bit, saved small, loaded by every later stage. */
import { existsSync, mkdtempSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { filterStage } from '../../lib/data/filter/filter-stage.js';
import { writeSample } from '../../lib/data/sample/sample.js';
import { embedItems } from '../../lib/embed/embed-items.js';
import { useEngine } from '../../lib/engine/engine.js';
import { evaluateStage } from '../../lib/evaluate/evaluate-stage.js';
import { hashFile } from '../../lib/files/files.js';
import { readSafetensors } from '../../lib/files/safetensors.js';
import { parseShape } from '../../lib/lm/config.js';
import { mergeStage } from '../../lib/lm/lora/merge-stage.js';
import { weightArray } from '../../lib/lm/model-files.js';
import { loadModel, saveModel } from '../../lib/lm/model.js';
import { loadTokenizer, wordTokenizer } from '../../lib/lm/tokenizer/tokenizer.js';
import { EMBEDDING } from '../../lib/lm/weight-names.js';
import { randomWeights } from '../../lib/lm/weights.js';
import { readMetrics } from '../../lib/runs/metric-lines.js';
import { sidStage } from '../../lib/sid/sid-stage.js';
import { templateWords } from '../../lib/tasks/templates.js';
import { type SftOptions } from '../../lib/train/sft/sft-options.js';
import { sft, type SftReport } from '../../lib/train/sft/sft.js';
import { checkTrainable, type TrainableOptions } from '../../lib/train/sft/trainable.js';

const folder = mkdtempSync(join(tmpdir(), 'sidlab-learning-'));
const base = join(folder, 'base');
const options = (run: string, learning: TrainableOptions): SftOptions => ({
  data: folder,
  index: join(folder, 'tiny.index.json'),
  run: join(folder, run),
  model: base,
  epochs: 1.5,
  batchSize: 16,
  evalEpochs: 0.5,
  validRows: 5,
  dropout: 0.2,
  learningRate: 1e-2,
  warmupSteps: 0,
  ...learning,
});

beforeAll(async () => {
  await useEngine();
  const { reviews, meta } = writeSample({ out: join(folder, 'raw'), size: 'tiny' });
  await filterStage({ reviews, meta, out: folder, dataset: 'tiny' });
  await embedItems({ data: folder });
  await sidStage({ embeddings: join(folder, 'tiny.emb-lsa.npy'), codebookSize: 8 });
  const tokenizer = wordTokenizer(templateWords(), []);
  const config = parseShape('qwen2:32x1', tokenizer.vocabSize + 3, 0); // three rows of padding
  saveModel(base, { config, weights: randomWeights(config, 4) }, { json: tokenizer.json });
});

describe.each<[string, TrainableOptions, string[]]>([
  ['lora', { lora: { rank: 4, dropout: 0.1 } }, ['lora_A', 'lora_B', 'embed_tokens.weight']],
  [
    'lora-rows',
    { lora: { rank: 4, dropout: 0.1, targets: ['q_proj', 'v_proj'] }, freeze: 'all-but-new-rows' },
    ['lora_A', 'lora_B', 'new_rows'],
  ],
  ['lora-alone', { lora: { rank: 4, dropout: 0 }, freeze: 'embeddings' }, ['lora_A', 'lora_B']],
  ['rows', { freeze: 'all-but-new-rows' }, ['new_rows']],
])('%s', (name, learning, learns) => {
  let report: SftReport;

  test('killed twice it ends on the same bits; a checkpoint holds what is trained', async () => {
    report = await sft(options(name, learning));
    const config = JSON.parse(readFileSync(join(folder, name, 'config.json'), 'utf8')) as object;
    expect(config).not.toHaveProperty('model'); // a folder counts by the hashes of its files, wherever it lies
    const killed = options(`${name}-killed`, learning);
    for (const at of [4, 8]) {
      const onLog: SftOptions['onLog'] = (lines) => {
        if (lines.at(-1)!.step === at) throw new Error('killed');
      };
      await expect(sft({ ...killed, onLog })).rejects.toThrow('killed');
      for (const checkpoint of readdirSync(killed.run!).filter((file) => file.startsWith('checkpoint-'))) {
        const names = [...readSafetensors(join(killed.run!, checkpoint, 'model.safetensors')).keys()];
        expect(names.every((key) => learns.some((part) => key.includes(part)))).toBe(true);
        expect(learns.every((part) => names.some((key) => key.includes(part)))).toBe(true);
      }
    }
    const again = await sft(killed);
    expect(again.best).toEqual(report.best);
    const file = learning.lora ? 'adapter_model.safetensors' : 'model.safetensors';
    expect(hashFile(join(again.model, file))).toBe(hashFile(join(report.model, file)));
    const losses = (run: string): unknown[] =>
      readMetrics(join(folder, run, 'metrics.jsonl')).map(({ step, loss, norm }) => [step, loss, norm]);
    expect(losses(`${name}-killed`)).toEqual(losses(name));
    const learnt = losses(name).flatMap((line) => (line as number[])[1] ?? []);
    expect(learnt.at(-1)).toBeLessThan(learnt[0]!);
  });

  test('frozen rows keep their bits', () => {
    const [before, after] = [loadModel(base), loadModel(report.model)].map((model) => weightArray(model, EMBEDDING));
    const old = loadTokenizer(base).vocabSize * before!.shape[1]!;
    const equal = before!.data.subarray(0, old).every((x, i) => x === after!.data[i]);
    expect(equal).toBe(learning.freeze !== undefined);
  });

  test('evaluated from its folder as merged', async () => {
    const evaluate = (model: string, results: string): ReturnType<typeof evaluateStage> =>
      evaluateStage({
        data: folder,
        index: options(name, {}).index,
        model,
        numBeams: 10,
        results: join(folder, results),
      });
    const ours = await evaluate(report.model, `${name}.jsonl`);
    if (!learning.lora) return void expect(existsSync(join(report.model, 'adapter_config.json'))).toBe(false);
    const size = (at: string): number => statSync(at).size;
    expect(size(join(report.model, 'adapter_model.safetensors'))).toBeLessThan(size(join(base, 'model.safetensors')));
    const out = join(folder, `${name}-merged`);
    const merged = mergeStage({ adapter: report.model, out });
    expect(merged.matrices).toBe(learning.freeze === 'all-but-new-rows' ? 2 : 7);
    const theirs = await evaluate(out, `${name}-merged.jsonl`);
    expect(theirs.item).toEqual(ours.item);
    expect(readFileSync(join(folder, `${name}-merged.jsonl`), 'utf8')).toBe(
      readFileSync(join(folder, `${name}.jsonl`), 'utf8'),
    );
  });
});

test.each<[string, TrainableOptions, string]>([
  ['qwen2:32x1', { lora: true }, '--lora: expected --model to be a folder with weights, got qwen2:32x1'],
  ['qwen2:32x1', { freeze: 'all-but-new-rows' }, '--freeze all-but-new-rows: expected --model to be a folder'],
  ['test/golden/qwen3', { freeze: 'most' as never }, '--freeze: expected one of none, all-but-new-rows, embeddings'],
  ['test/golden/qwen3', { lora: true, freeze: 'all-but-embeddings' }, 'leaves nothing for --lora to train'],
  [
    'test/golden/qwen3',
    { lora: { modules: ['lm_head'] }, freeze: 'embeddings' },
    '--lora-modules: with --freeze embeddings',
  ],
  ['test/golden/qwen3', { lora: { rank: 1.5 } }, 'lora: expected rank to be a whole number of 1 or more, got 1.5'],
  ['test/golden/lora/rows', { lora: true }, 'sidlab merge makes one of the adapter test/golden/lora/rows'],
])('%s with %j is refused', (from, learning, message) => {
  expect(() => checkTrainable(from, learning)).toThrow(message);
});

test('merging over the adapter or its base is refused', () => {
  expect(() => mergeStage({ adapter: 'test/golden/lora/rows', out: 'test/golden/lora/rows' })).toThrow(
    '--out: expected',
  );
  expect(() => mergeStage({ adapter: 'test/golden/lora/rows', out: './test/golden/qwen3' })).toThrow('--out: expected');
  expect(() => mergeStage({ adapter: base, out: join(folder, 'x') })).toThrow('adapter_config.json');
});

test('the noise of new rows is part of the configuration where there are old ones, and reaches them', async () => {
  const short = { epochs: 0.2, validRows: 1, dropout: 0 };
  const started = async (run: string, other: Partial<SftOptions>): Promise<{ noise: unknown; loss: number }> => {
    await sft({ ...options(run, {}), ...short, ...other });
    const { initNoise } = JSON.parse(readFileSync(join(folder, run, 'config.json'), 'utf8')) as { initNoise?: number };
    return { noise: initNoise, loss: readMetrics(join(folder, run, 'metrics.jsonl'))[0]!.loss! };
  };
  const [usual, alike] = [await started('noise-1', {}), await started('noise-0', { initNoise: 0 })];
  expect([usual.noise, alike.noise]).toEqual([1, 0]);
  expect(usual.loss).not.toBeCloseTo(alike.loss, 3);
  expect((await started('noise-shape', { model: 'qwen2:32x1' })).noise).toBeUndefined();
  await expect(started('noise-both', { model: 'qwen2:32x1', initNoise: 1 })).rejects.toThrow('--init-noise: expected');
});
