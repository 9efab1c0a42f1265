/** Options of examples and prompts: every default, every bound, and the files that nothing would read. */
import { expect, test } from 'vitest';
import { defineOptions } from '../../lib/options/schema.js';
import { checkExamples, EXAMPLE_OPTIONS } from '../../lib/tasks/example-options.js';
import { PROMPT_OPTIONS } from '../../lib/tasks/prompt-options.js';

const SCHEMA = defineOptions('examples', { ...EXAMPLE_OPTIONS, ...PROMPT_OPTIONS }, { rules: [checkExamples] });

test('defaults', () => {
  expect(SCHEMA.parse({})).toEqual({
    ...{ weighting: 'loss', cutHistories: 0, cutLength: 3, coldTargets: 0, coldSeen: 0, coldNeighbours: 5 },
  }); // of prompts there are none: evaluation takes those of the model's run
});

test.each([
  ['cutHistories', 0, -0.01],
  ['cutHistories', 1, 1.01],
  ['cutLength', 1, 0],
  ['coldTargets', 0, -1],
  ['coldSeen', 0, -1],
  ['coldNeighbours', 1, 0],
  ['cutoffLen', 1, 0],
  ['heldOutItems', 1e-9, 0],
  ['heldOutItems', 0.499, 0.5],
] as const)('%s of %d is good, of %d it is not', (name, good, bad) => {
  expect(SCHEMA.parse({ [name]: good })[name]).toBe(good);
  expect(() => SCHEMA.parse({ [name]: bad })).toThrow(`examples: expected ${name} to be`);
});

test.each<[Parameters<typeof checkExamples>[0], string | undefined]>([
  [{}, undefined],
  [{ rowWeights: 'balanced' }, undefined],
  [{ rowWeights: 'no such factor' }, undefined], // which the option itself refuses
  [{ rowWeights: 'column:a', rowColumns: 'f.csv' }, undefined],
  [{ rowWeights: 'balanced,log1p:a', rowColumns: 'f.csv' }, undefined],
  [{ coldTargets: 1, embeddings: 'x.npy' }, undefined],
  [{ coldTargets: 1 }, undefined],
  [{ rowWeights: 'column:a' }, '--row-weights: expected --row-columns'],
  [{ rowWeights: 'log1p:a' }, '--row-weights: expected --row-columns'],
  [{ rowColumns: 'f.csv' }, '--row-columns: expected column:NAME or log1p:NAME'],
  [{ rowWeights: 'balanced', rowColumns: 'f.csv' }, '--row-columns: expected column:NAME or log1p:NAME'],
  [{ embeddings: 'x.npy' }, '--embeddings: expected --cold-targets above 0'],
  [{ coldTargets: 0, embeddings: 'x.npy' }, '--embeddings: expected --cold-targets above 0'],
])('%j: %s', (options, message) => {
  if (message === undefined) expect(() => checkExamples(options)).not.toThrow();
  else expect(() => checkExamples(options)).toThrow(message);
});
