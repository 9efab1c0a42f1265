/** A trained baseline as the assistant of an evaluation: by folder, by name, as a function. */
import { cpSync, existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { baselineStage } from '../../lib/baselines/baseline-stage.js';
import { evaluateBesideBaselines } from '../../lib/baselines/rank-baselines.js';
import { baselineModel, withAssistant } from '../../lib/baselines/sequence/with-assistant.js';
import { readIndex } from '../../lib/data/sid-index.js';
import { useEngine } from '../../lib/engine/engine.js';
import type { EvaluateStageOptions } from '../../lib/evaluate/evaluate-options.js';
import { evaluateStage } from '../../lib/evaluate/evaluate-stage.js';
import { scoresAreLogProbs } from '../../lib/evaluate/measures/search.js';
import { rankRows } from '../../lib/evaluate/rank-rows.js';
import { loadRecommender } from '../../lib/evaluate/recommender.js';
import { readResults } from '../../lib/evaluate/results-file.js';
import { type Scorer, scorerIdentity } from '../../lib/evaluate/scorer.js';
import { readJson } from '../../lib/files/files.js';
import { disposeWeights } from '../../lib/lm/weights.js';
import { STAGE_SCHEMAS } from '../../lib/pipeline/pipeline-options.js';

const folder = mkdtempSync(join(tmpdir(), 'sidlab-assistant-'));
const data = join(folder, 'shop');
const options = { data, model: join(folder, 'm_plain'), template: 'sids', numBeams: 4 };

beforeAll(async () => {
  await useEngine();
  cpSync('test/cases/shop', data, { recursive: true });
  cpSync('test/cases/m_plain', options.model, { recursive: true });
  await baselineStage({ baseline: 'sasrec', data, width: 8, epochs: 2, batchSize: 64 });
});
afterAll(() => rmSync(folder, { recursive: true }));

test('by name and by folder the same lists, in a file that says so', async () => {
  const alone = await evaluateStage(options);
  const named = await evaluateBesideBaselines({ ...options, assistant: 'sasrec' });
  const lists = await readResults(named.results);
  const again = await evaluateBesideBaselines({ ...options, assistant: baselineModel(join(data, 'runs'), 'sasrec') });
  expect(again.results).toBe(named.results);
  expect(await readResults(again.results)).toEqual(lists);
  expect(named.results).not.toBe(alone.results);
  const { assistant, assistantWeight } = readJson<{ assistant: string; assistantWeight: number }>(
    named.results.replace(/l$/, ''),
  );
  expect([assistantWeight, named.results]).toEqual([
    0.5,
    expect.stringContaining(`assistant-0.5-${assistant.slice(0, 8)}`),
  ]);
  expect(lists.map(({ items }) => items)).not.toEqual((await readResults(alone.results)).map(({ items }) => items));
});

test("lists that are not ranked by the model's own log-probabilities are known by their listed targets", async () => {
  const wide = { ...options, numBeams: 100 };
  const plain = await readResults((await evaluateStage(wide)).results);
  const penalized = await readResults((await evaluateStage({ ...wide, lengthPenalty: 1 })).results);
  const helped = await readResults((await evaluateBesideBaselines({ ...wide, assistant: 'sasrec' })).results);
  const left = await readResults((await evaluateStage({ ...wide, excludeHistory: true })).results);
  expect([plain, penalized, helped, left].map(scoresAreLogProbs)).toEqual([true, false, false, true]);
});

test("with a weight of 1 and every beam the lists are the assistant's own", async () => {
  const wide = { ...options, numBeams: 500, normalize: 'legal' as const };
  const report = await evaluateBesideBaselines({ ...wide, assistant: 'sasrec', assistantWeight: 1 });
  const own = await readResults(join(data, 'runs/baseline-sasrec/results.jsonl'));
  const lists = await readResults(report.results);
  const shared = (items: readonly number[]) => items.slice(0, 1);
  const same = lists.filter(({ items }, i) => shared(items).join() === shared(own[i]!.items).join()).length;
  expect(same / lists.length).toBeGreaterThan(0.95); // items that share a SID share their probability
});

test('a function is asked for every item of each history, and is part of what a file is of', async () => {
  const asked: [number, number][] = [];
  const mine: Scorer = (histories, items) => {
    asked.push([histories.length, items[0]!.length]);
    return items.map((own) => own.map((item) => -item));
  };
  const report = await evaluateStage({ ...options, assistant: mine, assistantWeight: 1 });
  expect(asked.length).toBeGreaterThan(0);
  expect(report.results).toContain(scorerIdentity(mine).slice(0, 8));
  expect(scorerIdentity(Object.assign(() => [], { identity: 'abc' }))).toBe('abc');
  const lists = await readResults(report.results);
  for (const { items } of lists) expect(items).toEqual([...items].sort((a, b) => a - b));
});

test('of another catalogue, an assistant is refused before anything is ranked or written', async () => {
  const larger = join(folder, 'larger', 'shop');
  cpSync('test/cases/shop', larger, { recursive: true });
  const items = readJson<Record<string, object>>(join(larger, 'shop.item.json'));
  const count = Object.keys(items).length;
  writeFileSync(join(larger, 'shop.item.json'), JSON.stringify({ ...items, [count]: items[0] }));
  await baselineStage({ baseline: 'sasrec', data: larger, width: 8, epochs: 1, batchSize: 64 });
  const assistant = baselineModel(join(larger, 'runs'), 'sasrec');
  const before = readdirSync(folder, { recursive: true }).sort();
  const message = `evaluate: assistant: expected one of ${count} items, got ${count + 1}; train it on this catalogue`;
  await expect(evaluateBesideBaselines({ ...options, numBeams: 3, assistant })).rejects.toThrow(message);
  expect(readdirSync(folder, { recursive: true }).sort()).toEqual(before);
  const recommender = loadRecommender(options.model, readIndex(join(data, 'shop.index.json')), 'sids');
  const strange: Scorer = Object.assign(() => { throw new Error('asked'); }, { items: count + 1 }); // prettier-ignore
  await expect(rankRows(recommender, [], { assistant: strange })).rejects.toThrow(message);
  disposeWeights(recommender.model.weights);
});

test.each<[Partial<EvaluateStageOptions>, string]>([
  [{ assistantWeight: 0.3 }, 'evaluate: --assistant-weight 0.3: expected --assistant beside it, got none; name one, or leave it out'], // prettier-ignore
  [{ lengthOf: 'choices' }, 'evaluate: --length-of choices: expected a --length-penalty beside it, got 0; give one, or leave it out'], // prettier-ignore
])('an option that would do nothing: %j', async (more, message) => {
  await expect(evaluateBesideBaselines({ ...options, ...more })).rejects.toThrow(message);
  expect(() => STAGE_SCHEMAS.evaluate.parse(more as never)).toThrow(message);
  expect(STAGE_SCHEMAS.evaluate.parse({ ...more, assistant: 'sasrec', lengthPenalty: 1 } as never)).toMatchObject(more);
});

test('what cannot be is one line, and nothing is written', async () => {
  const before = readdirSync(folder, { recursive: true }).sort();
  await expect(evaluateBesideBaselines({ ...options, assistant: 'hstu' })).rejects.toThrow(
    `assistant: expected the model of a trained baseline, got none in ${baselineModel(join(data, 'runs'), 'hstu')}; sidlab baseline hstu --data ${data} makes one`,
  );
  await expect(evaluateStage({ ...options, numBeams: 3, assistant: 'sasrec' })).rejects.toThrow(
    'loadScorer(folder) makes one',
  );
  await expect(evaluateStage({ ...options, assistant: 3 as never })).rejects.toThrow(
    'expected assistant to be a folder',
  );
  expect(readdirSync(folder, { recursive: true }).sort()).toEqual(before);
  expect(existsSync(data)).toBe(true);
  expect(await withAssistant(undefined, { data }, (assistant) => Promise.resolve(assistant))).toBeUndefined();
});
