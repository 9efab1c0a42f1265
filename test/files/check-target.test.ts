/** Files that cannot be written are refused before the work whose result they were to hold. */
import { cpSync, mkdirSync, mkdtempSync, readdirSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test, vi } from 'vitest';
import { badCaseReport } from '../../lib/badcase/bad-case-report.js';
import type { Baseline } from '../../lib/baselines/baseline.js';
import { baselineStage } from '../../lib/baselines/baseline-stage.js';
import { compareStage } from '../../lib/compare/compare-stage.js';
import { embedItems } from '../../lib/embed/embed-items.js';
import { evaluateStage } from '../../lib/evaluate/evaluate-stage.js';
import { generateStage } from '../../lib/evaluate/text/generate-stage.js';
import { checkTarget } from '../../lib/files/check-file.js';
import { writeNpy } from '../../lib/files/npy.js';
import { sidStage } from '../../lib/sid/sid-stage.js';

const root = mkdtempSync(join(tmpdir(), 'sidlab-target-'));
const at = (...names: string[]): string => join(root, ...names);
cpSync('test/cases/shop', at('shop'), { recursive: true });
cpSync('test/cases/m_plain', at('model'), { recursive: true });
mkdirSync(at('folder.index.json'));
writeFileSync(at('file'), '');
writeNpy(at('x.npy'), { rows: 2, width: 1, data: Float32Array.of(1, 2) });
const [data, model] = [at('shop'), at('model')];
const work = vi.fn(() => []);
const mine: Baseline = { name: 'mine', help: '', rank: work };
const quantize = vi.fn();
const method = { name: 'mine', quantize, learned: false } as never;
const results = at('shop', 'runs', 'r.jsonl');

test.each<[string, (target: string) => Promise<unknown>]>([
  ['--results', (target) => evaluateStage({ data, model, template: 'sids', results: target })],
  ['--results', (target) => generateStage({ data, model, task: 'sids', results: target })],
  ['--results', (target) => baselineStage({ data, baseline: mine, results: target })],
  ['--embeddings', (target) => embedItems({ data, embeddings: target })],
  ['--index', (target) => sidStage({ embeddings: at('x.npy'), method, index: target })],
  ['--out', (target) => compareStage({ files: [results, at('other.jsonl')], out: target })],
])('%s', async (name, run) => {
  const before = readdirSync(root, { recursive: true }).sort();
  await expect(run(at('folder.index.json'))).rejects.toThrow(`${name}: expected a file to write, got the folder`);
  await expect(run(at('file', 'x', 'y.index.json'))).rejects.toThrow(`below the file ${at('file')}; take a folder`);
  expect([work.mock.calls, quantize.mock.calls]).toEqual([[], []]);
  expect(readdirSync(root, { recursive: true }).sort()).toEqual(before);
});

test('the folder of a report', async () => {
  await expect(badCaseReport({ data, results, out: at('file') })).rejects.toThrow(/^--out: expected a file to write/);
});

test('what can be written: a new file, one that is there, folders that are not', () => {
  for (const path of [at('new'), at('file'), at('a', 'b', 'c')]) expect(() => checkTarget(path, '--out')).not.toThrow();
});
