import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { expect, test } from 'vitest';
import { distinctNames, readSides, resultsOf } from '../../lib/compare/sides.js';

const folder = mkdtempSync(join(tmpdir(), 'sidlab-sides-'));

function touch(...path: string[]): string {
  const file = join(folder, ...path);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, '');
  return file;
}

test.each([
  [
    ['runs/a/sft/results.jsonl', 'runs/b/sft/results.jsonl'],
    ['a', 'b'],
  ],
  [
    ['popularity.jsonl', 'transition.jsonl'],
    ['popularity', 'transition'],
  ],
  [
    ['x/sft/results.jsonl', 'x/grpo/results.jsonl', 'x/a/b/results.jsonl'],
    ['sft', 'grpo', 'a/b'],
  ],
  [
    ['out/runs/r.jsonl', 'out/round-2/runs/r.jsonl'],
    ['out/runs/r.jsonl', 'out/round-2/runs/r.jsonl'],
  ],
  [
    ['a.jsonl', 'a.jsonl'],
    ['a.jsonl', 'a.jsonl'],
  ],
])('names of %j', (paths, names) => expect(distinctNames(paths)).toEqual(names));

test('a folder: its results, those of a bad-case report, the only file, the last model of a pipeline', () => {
  const run = touch('run', 'results.jsonl');
  touch('run', 'results-test-sids-50.jsonl');
  expect(resultsOf(join(folder, 'run'))).toBe(run);
  expect(resultsOf(run)).toBe(run);
  const bad = touch('bad', 'eval_results.jsonl');
  const report = touch('bad', 'badcase_report.json');
  expect(readSides({ files: [join(folder, 'bad'), run] })).toEqual([
    { name: 'bad/eval_results', files: [bad], report },
    { name: 'run/results', files: [run] },
  ]);
  const below = touch('run', 'badcase', 'badcase_report.json');
  expect(readSides({ files: [join(folder, 'run'), bad] })[0]!.report).toBe(below);
  const only = touch('only', 'results-test-sids-50.jsonl');
  touch('only', 'results-test-sids-50-shard-1-of-2.jsonl');
  expect(resultsOf(join(folder, 'only'))).toBe(only);
  const sft = touch('main', 'sft', 'results.jsonl');
  expect(resultsOf(join(folder, 'main'))).toBe(sft);
  expect(resultsOf(dirname(touch('main', 'grpo', 'results.jsonl')))).toContain('grpo');
  expect(resultsOf(join(folder, 'main'))).toContain('grpo');
});

test('a folder with several results files, or none', () => {
  touch('two', 'results-b.jsonl');
  touch('two', 'results-a.jsonl');
  expect(() => resultsOf(join(folder, 'two'))).toThrow('several results files: results-a.jsonl, results-b.jsonl; name');
  mkdirSync(join(folder, 'none'));
  expect(() => resultsOf(join(folder, 'none'))).toThrow('expected a folder with results.jsonl; evaluate first');
});
