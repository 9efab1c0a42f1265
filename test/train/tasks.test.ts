/** Mixes of tasks: what an epoch draws, runs of texts and SIDs together, SIDs spelled in subwords. */
import { mkdtempSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as tf from '@tensorflow/tfjs';
import { beforeAll, describe, expect, test } from 'vitest';
import type { Dataset } from '../../lib/data/dataset.js';
import { filterStage } from '../../lib/data/filter/filter-stage.js';
import { loadDataset } from '../../lib/data/load.js';
import { writeSample } from '../../lib/data/sample/sample.js';
import { readIndex, type SidIndex } from '../../lib/data/sid-index.js';
import { beamSearch } from '../../lib/decode/beam-search.js';
import { embedItems } from '../../lib/embed/embed-items.js';
import { useEngine } from '../../lib/engine/engine.js';
import { evaluateStage } from '../../lib/evaluate/evaluate-stage.js';
import { createRecommender, modelRenderer } from '../../lib/evaluate/recommender.js';
import { readResults } from '../../lib/evaluate/results-file.js';
import { chain } from '../../lib/lm/forest.js';
import { loadTokenizer } from '../../lib/lm/tokenizer/tokenizer.js';
import { readMetrics } from '../../lib/runs/metric-lines.js';
import { sidStage } from '../../lib/sid/sid-stage.js';
import { chainExample, chainTexts, rowExample } from '../../lib/tasks/examples.js';
import { planTasks } from '../../lib/tasks/plan-tasks.js';
import { promptContext } from '../../lib/tasks/prompts.js';
import { taskExamples } from '../../lib/tasks/task-examples.js';
import { parseTasks } from '../../lib/tasks/task-mix.js';
import { taskRows } from '../../lib/tasks/task-rows.js';
import { TaskSet } from '../../lib/tasks/task-set.js';
import { TEMPLATES } from '../../lib/tasks/templates.js';
import { grpo } from '../../lib/train/grpo/grpo.js';
import { forestLogProbs } from '../../lib/train/loop/forest-loss.js';
import { initialModel } from '../../lib/train/sft/initial-model.js';
import { sftTask } from '../../lib/train/sft/sft-task.js';
import { type SftOptions } from '../../lib/train/sft/sft-options.js';
import { sft } from '../../lib/train/sft/sft.js';

const folder = mkdtempSync(join(tmpdir(), 'sidlab-tasks-'));
let dataset: Dataset;
let index: SidIndex;

beforeAll(async () => {
  await useEngine();
  const { reviews, meta } = writeSample({ out: join(folder, 'raw'), size: 'tiny' });
  await filterStage({ reviews, meta, out: folder, dataset: 'tiny' });
  await embedItems({ data: folder });
  await sidStage({ embeddings: join(folder, 'tiny.emb-lsa.npy'), codebookSize: 8 });
  dataset = await loadDataset(folder);
  index = readIndex(join(folder, 'tiny.index.json'), dataset.items.length);
});

describe('--tasks', () => {
  test('weights, counts and modes', () => {
    const parts = parseTasks('sids, title2sid:0.5,sid2title:n=20:2,words:row', TEMPLATES, 'chain');
    expect(parts.map(({ name, mode, weight, maxExamples: count }) => [name, mode, weight, count])).toEqual([
      ['sids', 'chain', 1, 0],
      ['title2sid', 'row', 0.5, 0],
      ['sid2title', 'row', 2, 20],
      ['words', 'row', 1, 0],
    ]);
  });

  test.each([
    ['seqrec,titel2sid', /^--tasks: expected any of sids, words, .*got "titel2sid"$/],
    ['', /^--tasks: expected any of .*got ""$/],
    ['seqrec:0', '--tasks: seqrec: expected a weight above 0, n=N, chain or row, got "0"'],
    ['seqrec:-1', 'got "-1"'],
    ['seqrec:n=0', 'got "n=0"'],
    ['seqrec,sids,seqrec', '--tasks: seqrec is named twice; give it a weight, seqrec:2'],
    ['seqrec:chain', '--tasks: seqrec is no bare sequence of items'],
  ])('%j is refused in a line', (text, message) => {
    expect(() => parseTasks(text, TEMPLATES, 'chain')).toThrow(message);
  });

  test('what is ranked: the task that is asked for, else the first of rows that answers with a SID', () => {
    const ranked = (tasks: string, template?: string): string | undefined => planTasks({ tasks, template }).ranked;
    expect(ranked('title2sid,sids2title,seqrec,titles2sid')).toBe('seqrec');
    expect(ranked('title2sid,seqrec', 'title2sid')).toBe('title2sid');
    expect(ranked('sid2title,title2sid')).toBe('title2sid');
    expect(ranked('sid2title,titles2title')).toBeUndefined();
    expect(() => ranked('sids,sid2title', 'seqrec')).toThrow(
      '--template: expected a task that is trained and ranked (sids), got seqrec',
    );
  });
});

describe('an epoch', () => {
  const set = (tasks: string, seed = 1, dataRatio = 1): TaskSet =>
    new TaskSet(dataset, parseTasks(tasks, TEMPLATES, 'chain'), promptContext(index, dataset.items), {
      seed,
      dataRatio,
    });

  test('goes through each task as often as its weight says', () => {
    const tasks = set('seqrec:2,title2sid:0.5,sid2title:n=7:1.5');
    const references = tasks.examples(0);
    const of = (task: number): number[] =>
      references.filter((reference) => reference.task === task).map(({ example }) => example);
    const times = (list: number[]): number[] => [...new Set(list)].map((x) => list.filter((y) => y === x).length);
    const items = taskRows(dataset, TEMPLATES.title2sid!, 'train').length;
    expect(new Set(of(0)).size).toBe(dataset.train.length);
    expect(new Set(times(of(0)))).toEqual(new Set([2]));
    expect(of(1)).toHaveLength(Math.round(items / 2));
    expect(new Set(times(of(1)))).toEqual(new Set([1]));
    expect(of(2)).toHaveLength(7 + 4);
    expect(new Set(of(2)).size).toBe(7);
    expect(tasks.counts()).toEqual({
      seqrec: { examples: dataset.train.length, perEpoch: 2 * dataset.train.length, leftOut: 0 },
      title2sid: { examples: items, perEpoch: Math.round(items / 2), leftOut: 0 },
      sid2title: { examples: 7, perEpoch: 11, leftOut: 0 },
    });
  });

  test('is decided by seed and epoch; half a task is another half in another epoch', () => {
    const references = set('seqrec,title2sid:0.5').examples(3);
    expect(set('seqrec,title2sid:0.5').examples(3)).toEqual(references);
    expect(set('seqrec,title2sid:0.5', 2).examples(3)).not.toEqual(references);
    const halves = [3, 4].map((epoch) =>
      set('title2sid:0.5')
        .examples(epoch)
        .map(({ example }) => example),
    );
    expect(halves[0]).not.toEqual(halves[1]);
  });

  test('draws every prompt about as often, the one of evaluation among them', () => {
    const references = set('seqrec').examples(0);
    const wordings = TEMPLATES.seqrec!.prompts.length;
    for (let wording = 0; wording < wordings; wording++) {
      const share = references.filter((reference) => reference.prompt === wording).length / references.length;
      expect(share).toBeGreaterThan(0.5 / wordings);
      expect(share).toBeLessThan(2 / wordings);
    }
  });

  test('a ratio keeps the same share of every task, chains included', () => {
    const [all, half] = [set('sids,title2sid').counts(), set('sids,title2sid', 1, 0.5).counts()];
    expect(half.sids!.examples).toBe(Math.round(all.sids!.examples / 2));
    expect(half.title2sid!.examples).toBe(Math.round(all.title2sid!.examples / 2));
    expect(() => set('sids', 1, 0)).toThrow('--data-ratio: expected a share above 0, at most 1, got 0');
  });

  test('items of validation and test are held out of all tasks of items', () => {
    const of = (split: 'train' | 'valid' | 'test'): number[] =>
      taskRows(dataset, TEMPLATES.index2item!, split).map(({ target }) => target);
    const all = [...of('train'), ...of('valid'), ...of('test')];
    expect(all.sort((a, b) => a - b)).toEqual(dataset.items.map((_, item) => item));
    expect(taskExamples(dataset, index, 'title2sid', 'test').map(({ item }) => item)).toEqual(of('test'));
  });

  test('items without the text are left out and counted', () => {
    const items = dataset.items.map((item, i) => (i % 2 === 0 ? { ...item, description: '' } : item));
    const parts = parseTasks('description2sid,sid2description', TEMPLATES, 'row');
    const { description2sid, sid2description } = new TaskSet(
      { ...dataset, items },
      parts,
      promptContext(index, items),
      {
        seed: 1,
      },
    ).counts();
    expect(description2sid!.leftOut).toBe(sid2description!.leftOut);
    expect(description2sid!.leftOut).toBeGreaterThan(10);
    expect(description2sid!.examples + description2sid!.leftOut).toBe(
      taskRows(dataset, TEMPLATES.title2sid!, 'train').length,
    );
  });
});

test('where SIDs are all that tasks hold, a vocabulary of words spells every prompt', () => {
  const templates = [TEMPLATES.seqrec!, TEMPLATES.sids!];
  const { model, tokenizer } = initialModel('qwen2:32x1', index, 1, { templates });
  expect(tokenizer.json).toContain('"WordLevel"');
  const render = modelRenderer(model, tokenizer, index, TEMPLATES.seqrec!);
  TEMPLATES.seqrec!.prompts.forEach((_, wording) => {
    expect(render.prompt([0, 1], 2, wording)).not.toContain(tokenizer.tokenId('<unk>'));
  });
});

test('a tokenizer without the end token of the model is reported in a line, where a task needs one', () => {
  const { model, tokenizer } = initialModel('qwen2:32x1', index, 1);
  const wrong = { ...model, config: { ...model.config, eosTokenId: 1_000_000 } };
  const bare = { of: 'rows' as const, separator: '', answer: '{sid}', prompts: ['{history}'] };
  expect(modelRenderer(wrong, tokenizer, index, bare).answer(0)).toHaveLength(index[0]!.length);
  expect(() => modelRenderer(wrong, tokenizer, index, TEMPLATES.seqrec!)).toThrow(
    /^tokenizer: it lacks the end token 1000000 of the model's config.json \(eos_token_id\); mend either$/,
  );
});

test('the end of text is the one of the model, not a fixed one', () => {
  const { model, tokenizer } = initialModel('qwen2:32x1', index, 1);
  const end = tokenizer.tokenId(index[0]![0]!); // any token, in the place of <|im_end|>
  const other = { ...model, config: { ...model.config, eosTokenId: end } };
  expect(modelRenderer(other, tokenizer, index, TEMPLATES.words!).answer(1).at(-1)).toBe(end);
  expect(modelRenderer(model, tokenizer, index, TEMPLATES.words!).answer(1).at(-1)).toBe(0);
});

test('the loss of a batch of chains and rows is divided by its targets, however it is cut', () => {
  const plan = planTasks({ tasks: 'sids,title2sid' });
  const { model, tokenizer } = initialModel('qwen2:32x1', index, 1, {
    items: dataset.items,
    templates: plan.parts.map(({ template }) => template),
    vocabSize: 300,
  });
  const tasks = new TaskSet(dataset, plan.parts, promptContext(index, dataset.items), { seed: 1 });
  const renderers = plan.parts.map(({ template }) =>
    modelRenderer(model, tokenizer, index, template, { items: dataset.items }),
  );
  const references = tasks.examples(0);
  const batch = [references[0]!, references.at(-1)!, references.at(-2)!];
  const examples = batch.map((reference) => tasks.example(reference, renderers));
  const [text] = chainTexts(dataset.train, TEMPLATES.sids!, 10);
  expect(examples[0]).toEqual(chainExample(text!, renderers[0]!));
  const lastRow = taskRows(dataset, TEMPLATES.title2sid!, 'train').at(-1)!;
  expect(examples[1]).toEqual(rowExample(lastRow, renderers[1]!, batch[1]!.prompt));
  const targets = examples.reduce((sum, { labelPositions: at }) => sum + at.length, 0);
  const plain = examples.map(({ tokens, labelPositions: at, labels: target }) => logProb(model, tokens, at, target));
  const expected = -plain.reduce((sum, value) => sum + value, 0) / targets;
  for (const tokenBudget of [10_000, 20]) {
    const options = { batchSize: 3, tokenBudget, dropout: 0, validRows: 5, seed: 1 };
    const { microBatches: parts } = sftTask(model, tasks, renderers, { heldOut: [] }, options).objective(
      batch,
      null as never,
    );
    expect(parts.length).toBe(tokenBudget === 20 ? 3 : 1);
    const loss = parts.reduce((sum, part) => sum + tf.tidy(() => part.loss().dataSync()[0]!), 0);
    expect(loss).toBeCloseTo(expected, 5);
    parts.forEach((part) => part.dispose());
  }
});

function logProb(
  model: ReturnType<typeof initialModel>['model'],
  tokens: number[],
  at: number[],
  target: number[],
): number {
  const pairs = at.map((node, i) => ({ tree: 0, node, token: target[i]! }));
  const scorer = forestLogProbs(model.config, [chain(tokens)], pairs);
  const sum = tf.tidy(() => tf.sum(scorer.logProbs(model)).dataSync()[0]!);
  scorer.dispose();
  return sum;
}

/** What an evaluation reads. */
const where = { data: folder, index: join(folder, 'tiny.index.json') };

const run = (name: string, options: Partial<SftOptions>): SftOptions => ({
  data: folder,
  index: join(folder, 'tiny.index.json'),
  run: join(folder, name),
  model: 'qwen2:32x1',
  epochs: 1,
  batchSize: 16,
  validRows: 15,
  vocabSize: 400,
  ...options,
});

test('a run of texts and SIDs: counts in report and configuration, a loss each, ranked by its own words', async () => {
  const mix = { tasks: 'seqrec:0.5,sid2title,title2sid:n=20', cutoffLen: 90, dataRatio: 0.4 };
  const report = await sft(run('mix', mix));
  const items = taskRows(dataset, TEMPLATES.title2sid!, 'train').length;
  const config = JSON.parse(readFileSync(join(folder, 'mix', 'config.json'), 'utf8')) as Record<string, unknown>;
  expect(config.counts).toEqual(report.tasks);
  expect(config.template).toBe('seqrec');
  await expect(sft(run('mix', { ...mix, model: 'qwen2:64x1' }))).rejects.toThrow(
    /a run of another configuration \(model is .*qwen2:32x1.* there, .*qwen2:64x1.* here\)/,
  );
  expect(report.tasks.title2sid!.examples).toBe(Math.min(20, Math.round(0.4 * items)));
  expect(report.best.metrics).toMatchObject({ 'loss sid2title': expect.any(Number), 'NDCG@10': expect.any(Number) });
  const lines = readMetrics(join(folder, 'mix', 'metrics.jsonl'));
  expect(report.truncated).toBe(lines.reduce((sum, { truncated = 0 }) => sum + truncated, 0));
  expect(report.truncated).toBeGreaterThan(0);
  const evaluated = await evaluateStage({ ...where, model: report.model, numBeams: 10 });
  expect(evaluated).toMatchObject({ template: 'seqrec', rows: dataset.test.length, invalid: 0, duplicates: 0 });
  expect(evaluated.truncated).toBeGreaterThan(0);
  const tuned = await grpo({
    ...{ data: folder, index: join(folder, 'tiny.index.json'), run: join(folder, 'tuned'), model: report.model },
    ...{ numGenerations: 4, sampleSize: 8, batchSize: 8, epochs: 1, validRows: 5 },
  });
  const after = await evaluateStage({ ...where, model: tuned.model, numBeams: 5 });
  expect(after).toMatchObject({ template: 'seqrec', truncated: evaluated.truncated }); // what SFT said of the prompts still holds
  const titles = { ...where, model: report.model, template: 'title2sid', numBeams: 10 };
  const asked = await evaluateStage({ ...titles, results: join(folder, 'titles.jsonl') });
  const held = taskRows(dataset, TEMPLATES.title2sid!, 'test');
  expect((await readResults(asked.results)).map(({ target }) => target)).toEqual(held.map(({ target }) => target));
  await expect(evaluateStage({ ...titles, shuffleHistories: 1 })).rejects.toThrow('items, which have no history');
  await expect(evaluateStage({ ...titles, template: 'index2item' })).rejects.toThrow(
    /^template: expected one that answers with a SID or a title \(sids, .*\), got index2item$/,
  );
});

test('a run of texts alone is judged by its loss', async () => {
  const report = await sft(run('texts', { tasks: 'sid2title:n=20' }));
  expect(Object.keys(report.best.metrics)).toEqual(['loss']);
});

describe('SIDs in subwords', () => {
  test('the search finds what scoring every item finds, with SIDs of different lengths', () => {
    const items = dataset.items;
    const mixed = items.map((_, item) => [`<a_${item % 3}>`, `<b_${item}>`, ...(item % 5 === 0 ? ['<c_1>'] : [])]);
    const { model, tokenizer } = initialModel('qwen2:32x1', mixed, 7, { sidTokens: 'subwords', vocabSize: 257 });
    const recommender = createRecommender(model, tokenizer, mixed, 'seqrec', { sidTokens: 'subwords' });
    const { render, trie } = recommender;
    expect(new Set(mixed.map((_, item) => render.answer(item).length)).size).toBe(4);
    const prompts = dataset.test.slice(0, 3).map(({ history }) => render.prompt(history));
    const found = beamSearch(model, trie, prompts, { numBeams: items.length });
    prompts.forEach((prompt, p) => {
      const scores = items.map((_, item) => {
        const answer = render.answer(item);
        const at = answer.map((_, i) => prompt.length - 1 + i);
        return logProb(model, [...prompt, ...answer.slice(0, -1)], at, answer);
      });
      expect([...found[p]!.items].sort((a, b) => a - b)).toEqual(items.map((_, item) => item));
      found[p]!.items.forEach((item, i) => expect(found[p]!.scores[i]).toBeCloseTo(scores[item]!, 3));
      const best = scores.indexOf(Math.max(...scores));
      expect(found[p]!.items[0]).toBe(best);
    });
  });

  test('from training to evaluation, without a new token', async () => {
    const report = await sft(run('subwords', { template: 'seqrec', sidTokens: 'subwords', dataRatio: 0.2 }));
    const tokenizer = loadTokenizer(report.model);
    expect(index.flat().some((token) => tokenizer.has(token))).toBe(false);
    const evaluated = await evaluateStage({ ...where, model: report.model, numBeams: 5 });
    expect(evaluated).toMatchObject({ rows: dataset.test.length, invalid: 0, duplicates: 0 });
    await expect(evaluateStage({ ...where, model: report.model, sidTokens: 'new' })).rejects.toThrow(
      /the vocabulary lacks <a_\d+>/,
    );
    const again = await sft(run('onto-subwords', { model: report.model, template: 'seqrec', dataRatio: 0.05 }));
    expect(again.sids).toEqual({ added: new Set(index.flat()).size, reused: 0 });
    const reused = await sft(run('onto-tokens', { model: again.model, template: 'seqrec', dataRatio: 0.05 }));
    expect(reused.sids).toEqual({ added: 0, reused: new Set(index.flat()).size });
    const spelled = run('tokens', { model: again.model, template: 'seqrec', sidTokens: 'subwords' });
    await expect(sft(spelled)).rejects.toThrow(
      /^--sid-tokens subwords: <a_\d+> is a token of the vocabulary; take --sid-tokens new$/,
    );
  });
});
