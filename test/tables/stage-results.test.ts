/** Which evaluation of a language model's run is a table's: the default one, and no other by any option. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { EvaluationKind } from '../../lib/evaluate/results-place.js';
import { stageResults } from '../../lib/tables/stage-results.js';

const USUAL: EvaluationKind = { split: 'test', template: 'sids', numBeams: 50, normalize: 'full' };

/** One of every field that an evaluation can say of itself. */
const OTHER: Required<Omit<EvaluationKind, 'precision' | 'apart'>> = {
  ...{ split: 'valid', template: 'words', numBeams: 20, normalize: 'legal', limit: 8, excludeHistory: true },
  ...{ lengthPenalty: 1, logitAdjustment: 0.5, sharedSids: 'split', lengthOf: 'choices', assistant: 'abc' },
  ...{ assistantWeight: 0.3, wording: 2, part: 'Beauty', shard: '2/8', shuffleHistories: 7, cutoffLen: 64 },
  ...{ chatTemplate: true, sidTokens: 'subwords', heldOutItems: 0.1, templateHash: 'abc', preferences: 'abc' },
  otherIndex: 'abc',
};

let folder: string;
beforeEach(() => (folder = mkdtempSync(join(tmpdir(), 'sidlab-stage-results-'))));
afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** An evaluation as a pipeline writes it. */
function evaluated(kind: object): string {
  const file = join(folder, 'results.jsonl');
  writeFileSync(file, '');
  writeFileSync(join(folder, 'results.json'), JSON.stringify({ ...kind, rows: 3, inputs: {}, metrics: {} }));
  return file;
}

test.each(['float32', 'bfloat16'])('the usual one, in %s', (precision) => {
  expect(stageResults(folder)).toBeUndefined();
  const file = evaluated({ ...USUAL, precision });
  expect(stageResults(folder)).toBe(file);
});

test.each(Object.entries(OTHER))('none with another %s (%s)', (field, value) => {
  const beside = field === 'assistantWeight' ? { assistant: 'abc' } : {};
  evaluated({ ...USUAL, ...beside, [field]: value });
  expect(stageResults(folder)).toBeUndefined();
});

test('a row without the items of the history takes the evaluation without them, and no other', () => {
  const file = evaluated({ ...USUAL, excludeHistory: true });
  expect([stageResults(folder, 'sids', true), stageResults(folder)]).toEqual([file, undefined]);
  evaluated(USUAL);
  expect([stageResults(folder, 'sids', true), stageResults(folder)]).toEqual([undefined, file]);
  const names = ['results-test-sids-50-bfloat16-without-history.jsonl', 'results-test-sids-50-without-history.jsonl'];
  for (const name of names) {
    writeFileSync(join(folder, name), '');
    expect(stageResults(folder, 'sids', true)).toBe(join(folder, name)); // float32 comes first
  }
});

test('a file that says nothing of itself is taken by its name, but for a pipeline’s', () => {
  for (const name of ['results.jsonl', 'results-test-sids-50.jsonl']) writeFileSync(join(folder, name), '');
  expect(stageResults(folder)).toBe(join(folder, 'results-test-sids-50.jsonl'));
  expect(stageResults(folder, 'words')).toBeUndefined();
});
