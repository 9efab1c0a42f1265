/** The `generate` stage on a small shop: examples, file and figures belong together. */
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { beforeAll, describe, expect, test } from 'vitest';
import { loadDataset } from '../../lib/data/load.js';
import { readIndex } from '../../lib/data/sid-index.js';
import { textEmbedder } from '../../lib/embed/text-embedder.js';
import { useEngine } from '../../lib/engine/engine.js';
import { generateStage } from '../../lib/evaluate/text/generate-stage.js';
import { readGenerations } from '../../lib/evaluate/text/generations-file.js';
import { textMetrics } from '../../lib/evaluate/text/text-metrics.js';
import { hashFile } from '../../lib/files/files.js';
import { saveModel } from '../../lib/lm/model.js';
import { loadTokenizer } from '../../lib/lm/tokenizer/tokenizer.js';
import { disposeWeights } from '../../lib/lm/weights.js';
import { taskExamples } from '../../lib/tasks/task-examples.js';
import { TEMPLATES } from '../../lib/tasks/templates.js';
import { initialModel } from '../../lib/train/sft/initial-model.js';

const NOUNS = ['kettle', 'lamp', 'drill', 'tent', 'router'];
const QUALITIES = ['steel', 'folding', 'compact', 'cordless'];
const ITEMS = QUALITIES.flatMap((quality) => NOUNS.map((noun) => ({ quality, noun })));

const ENCODER = fileURLToPath(new URL('../golden/tiny-encoder', import.meta.url));
const installed = existsSync(fileURLToPath(new URL('../../node_modules/onnxruntime-node', import.meta.url)));

const data = join(mkdtempSync(join(tmpdir(), 'sidlab-generate-')), 'shop');
const index = join(data, 'shop.index.json');
const model = join(data, 'runs/sft/model');
const shared = { data, index, model, encoder: 'none' };

beforeAll(async () => {
  await useEngine();
  mkdirSync(data, { recursive: true });
  const items = ITEMS.map(({ quality, noun }) => ({
    title: `${quality} ${noun}`,
    description: `A ${quality} ${noun} for every day. It is easy to clean.`,
    brand: 'Acme',
    categories: noun,
  }));
  writeFileSync(join(data, 'shop.item.json'), JSON.stringify({ ...items }));
  writeFileSync(index, JSON.stringify({ ...ITEMS.map((_, i) => [`<a_${Math.floor(i / 5)}>`, `<b_${i % 5}>`]) }));
  const header = 'user_id:token\titem_id_list:token_seq\titem_id:token\n';
  const rows = ITEMS.map((_, i) => `u${i}\t${i} ${(i + 1) % 20}\t${(i + 2) % 20}\n`).join('');
  for (const split of ['train', 'valid', 'test']) writeFileSync(join(data, `shop.${split}.inter`), header + rows);
  const templates = [TEMPLATES.sid2title!, TEMPLATES.item2index!, TEMPLATES.index2item!];
  const dataset = await loadDataset(data);
  const start = initialModel('qwen2:32x1', readIndex(index, 20), 1, {
    templates,
    items: dataset.items,
    vocabSize: 300,
  });
  saveModel(model, start.model, { json: start.tokenizer.json });
  disposeWeights(start.model.weights);
});

test('other prompts, rows or ways of drawing are other files', async () => {
  const templates = join(data, 'mine.json');
  const { sid2title } = TEMPLATES;
  writeFileSync(templates, JSON.stringify({ sid2title: { ...sid2title!, prompts: ['{sid} is the item'] } }));
  const kinds: [object, string, object][] = [
    [{ cutoffLen: 40 }, 'tokens-2-cutoff-40-first-1', { cutoffLen: 40, limit: 1 }],
    [{ cutoffLen: 512, chatTemplate: false, heldOutItems: 0.05 }, 'tokens-2-first-1', {}], // as it is anyway
    [{ heldOutItems: 0.1, split: 'valid' }, 'valid-tokens-2-held-out-0.1-first-1', { heldOutItems: 0.1 }],
    [{ templates }, 'tokens-2-template-HASH-first-1', { templateHash: expect.stringMatching(/^[0-9a-f]{64}$/) as string }], // prettier-ignore
    [{ temperature: 0.7, topK: 5 }, 'temperature-0.7-seed-42-top-k-5-tokens-2-first-1', {}],
    [{ precision: 'bfloat16' }, 'bfloat16-tokens-2-first-1', { precision: 'bfloat16' }],
    [{ numBeams: 2 }, 'beams-2-tokens-2-first-1', {}],
  ];
  for (const [options, name, provenance] of kinds) {
    const { results } = await generateStage({ ...shared, task: 'sid2title', maxTokens: 2, limit: 1, ...options });
    expect(basename(results).replace(/-[0-9a-f]{8}-/, '-HASH-')).toBe(`generations-sid2title-${name}.jsonl`);
    expect(JSON.parse(readFileSync(results.replace('.jsonl', '.json'), 'utf8'))).toMatchObject(provenance);
  }
});

test('a task of texts: one line a held-out item, and the metrics of those lines', async () => {
  const report = await generateStage({ ...shared, task: 'sid2title', maxTokens: 6 });
  expect(report.results).toBe(join(data, 'runs/sft/generations-sid2title-tokens-6.jsonl'));
  const rows = await readGenerations(report.results);
  const provenance = JSON.parse(readFileSync(report.results.replace('.jsonl', '.json'), 'utf8')) as object;
  expect(provenance).toMatchObject({
    task: 'sid2title',
    split: 'test',
    maxTokens: 6,
    model,
    rows: rows.length,
    metrics: { text: report.text },
  });
  expect(provenance).toMatchObject({
    inputs: { index: hashFile(index), 'model config.json': hashFile(join(model, 'config.json')) },
  });
  const expected = taskExamples(await loadDataset(data), readIndex(index, 20), 'sid2title', 'test');
  expect(rows.map(({ answer }) => answer)).toEqual(expected.map(({ answer }) => answer));
  expect(rows.map(({ prompt }) => prompt)).toEqual(expected.map(({ prompt }) => prompt));
  expect(report).toMatchObject({ task: 'sid2title', rows: rows.length, truncated: 0, text: await textMetrics(rows) });
  expect(report.sid).toBeUndefined();
  expect(report.text).not.toHaveProperty('cosine');
  expect(report.tokens).toBeLessThanOrEqual(6 * rows.length);
  expect(report.unended).toBe(rows.filter(({ ended }) => !ended).length);
  expect(report.examples).toEqual(rows.slice(0, 5));
  expect(JSON.parse(JSON.stringify(report))).toEqual(report);
});

test('with an encoder there is a cosine too', async () => {
  const { text } = await generateStage({ ...shared, task: 'index2item', maxTokens: 4, encoder: 'lsa' });
  expect(text!.cosine).toBeGreaterThanOrEqual(-1);
  expect(text!.cosine).toBeLessThanOrEqual(1);
});

test.skipIf(!installed)('a sentence encoder gives BERTScore beside it', async () => {
  const { text, results } = await generateStage({ ...shared, task: 'sid2title', maxTokens: 6, encoder: ENCODER });
  const { tokens, embed, close } = await textEmbedder(ENCODER, []);
  expect(text).toEqual(await textMetrics(await readGenerations(results), embed, tokens));
  await close();
  for (const part of ['precision', 'recall', 'F']) expect(text).toHaveProperty(`BERTScore ${part}`);
  const lsa = await generateStage({ ...shared, task: 'sid2title', maxTokens: 6, encoder: 'lsa' });
  expect(lsa.text).not.toHaveProperty('BERTScore F');
});

test('a task of SIDs: as many tokens as a SID and its end need, and the share that is one', async () => {
  const item2index = await generateStage({ ...shared, task: 'item2index' });
  expect(item2index.text).toBeUndefined();
  expect(item2index.sid).toMatchObject({ valid: expect.any(Number), item: { 'HR@1': expect.any(Number) } });
  const sids = await generateStage({ ...shared, task: 'sids' });
  expect(sids).toMatchObject({ rows: 20, tokens: 40 }); // this task's answers have no end
  expect(await generateStage({ ...shared, task: 'sids', maxTokens: 1 })).toMatchObject({ tokens: 20, unended: 20 });
  const beams = await generateStage({ ...shared, task: 'sids', numBeams: 5 });
  expect(Object.keys(beams.sid!.item)).toEqual(['HR@1', 'NDCG@1', 'HR@3', 'NDCG@3', 'HR@5', 'NDCG@5']);
  expect(beams.examples[0]!.beams).toHaveLength(5);
});

test('the first so many, and the same again by the same seed', async () => {
  const sampled = { ...shared, task: 'sids2title', temperature: 1, topP: 0.9, maxTokens: 5, limit: 4 };
  const first = await generateStage(sampled);
  const again = await generateStage({ ...sampled, batchSize: 2 });
  const other = await generateStage({ ...sampled, seed: 7 });
  expect(first.rows).toBe(4);
  expect(again.examples).toEqual(first.examples);
  expect(other.examples).not.toEqual(first.examples);
});

test('prompts beyond the limit are cut and counted', async () => {
  const whole = loadTokenizer(model).encode(TEMPLATES.sids2title!.prompts[0]!.replace('{history}', '')).length;
  const { truncated: cut } = await generateStage({ ...shared, task: 'sids2title', maxTokens: 1, cutoffLen: whole + 2 });
  expect(cut).toBe(20);
});

test('what the run of the model had, prompts have too', async () => {
  const config = join(data, 'runs/sft/config.json');
  const templates = { named: { of: 'items', prompts: ['Name {sid}:'], answer: '{title}{end}' } };
  writeFileSync(config, JSON.stringify({ stage: 'sft', templates, cutoffLen: 4 }));
  const named = await generateStage({ ...shared, task: 'named', maxTokens: 1, cutoffLen: 40 });
  expect(named.prompt).toEqual({ template: 'named', source: 'run', file: config });
  expect(named).toMatchObject({ truncated: 0, examples: [{ prompt: expect.stringMatching(/^Name <a_\d><b_\d>:$/) }] });
  const short = generateStage({ ...shared, task: 'sids2title', maxTokens: 1 });
  await expect(short).rejects.toThrow('the tokens of the prompt template by itself, got 4');
  rmSync(config);
});

test('templates of a file, and an index of another place', async () => {
  const templates = join(data, 'templates.json');
  const named = { of: 'items', separator: '', prompts: ['Name {sid}:'], answer: '{title}{end}' };
  writeFileSync(templates, JSON.stringify({ named }));
  const asked = { ...shared, task: 'named', templates, maxTokens: 1 };
  const { examples, prompt } = await generateStage(asked);
  expect(prompt).toEqual({ template: 'named', source: 'default' });
  const elsewhere = join(data, 'elsewhere.json');
  writeFileSync(elsewhere, JSON.stringify({ ...ITEMS.map((_, i) => [`<a_${i % 4}>`, `<b_${Math.floor(i / 4)}>`]) }));
  const other = await generateStage({ ...asked, index: elsewhere });
  expect(other.examples.map(({ answer }) => answer)).toEqual(examples.map(({ answer }) => answer));
  expect(other.examples.map((row) => row.prompt)).not.toEqual(examples.map((row) => row.prompt));
  const { index: _, ...without } = asked;
  expect((await generateStage(without)).examples).toEqual(examples);
});

test('no examples, no texts', async () => {
  const empty = join(data, 'empty');
  mkdirSync(empty);
  for (const name of ['item.json', 'train.inter', 'test.inter'])
    cpSync(join(data, `shop.${name}`), join(empty, `empty.${name}`));
  writeFileSync(join(empty, 'empty.valid.inter'), 'user_id:token\titem_id_list:token_seq\titem_id:token\n');
  const none = generateStage({ ...shared, data: empty, task: 'sids', split: 'valid' });
  await expect(none).rejects.toThrow('generate: sids has no examples in valid; take another split');
  const one = await generateStage({ ...shared, data: empty, task: 'sids', limit: 1 });
  expect(one.rows).toBe(1);
});

test('interrupted: the texts that ended are kept, and said', async () => {
  const results = join(data, 'interrupted.jsonl');
  const whole = await generateStage({ ...shared, task: 'sids', limit: 2, maxTokens: 1, results });
  const before = readFileSync(results, 'utf8');
  const run = generateStage({ ...shared, task: 'sids', batchSize: 5, maxTokens: 30, results });
  let steps = 0; // since it watches for interrupts
  const press = (): void => {
    const [first] = process.listeners('SIGINT');
    if (first?.name === 'handler') steps++;
    if (steps < 40) setImmediate(press);
    else process.emit('SIGINT');
  };
  setImmediate(press);
  await expect(run).rejects.toThrow(/interrupted; \d+ of 20 texts are in .*interrupted\.jsonl\.part$/);
  expect([whole.rows, readFileSync(results, 'utf8')]).toEqual([2, before]); // what the file beside it is of
  const kept = await readGenerations(`${results}.part`); // 40 of 120 steps: a batch of 30 and a part of the second
  expect(kept).toHaveLength(5);
  await generateStage({ ...shared, task: 'sids', limit: 2, maxTokens: 1, results });
  expect(existsSync(`${results}.part`)).toBe(false);
});

describe('mistakes are reported before anything is computed', () => {
  test.each([
    [{ task: 'poem' }, 'template: expected one of sids, words'],
    [{ task: 'sids', model: join(data, 'none') }, 'none'],
    [{ task: 'sids', limit: -1 }, 'expected limit to be a whole number of 0 or more, got -1'],
    [{ task: 'sids', topP: 0.5 }, 'expected a temperature above 0'],
    [{ task: 'sid2title', encoder: 'no such folder', maxTokens: 1 }, 'expected --encoder lsa'],
  ])('%j', async (wrong, message) => {
    await expect(generateStage({ ...shared, ...wrong })).rejects.toThrow(message);
  });
});
