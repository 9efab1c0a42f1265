/** One results file for each evaluation of a model, with what it is of beside it. */
import { mkdirSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import { useEngine } from '../../lib/engine/engine.js';
import { evaluateStage } from '../../lib/evaluate/evaluate-stage.js';
import { type Provenance, resultsFile } from '../../lib/evaluate/results-place.js';
import { hashFile } from '../../lib/files/files.js';

beforeAll(async () => void (await useEngine()));

test('split, task, beams, normalisation and control are in the name', () => {
  const folder = mkdtempSync(join(tmpdir(), 'sidlab-results-'));
  const model = join(folder, 'model');
  mkdirSync(model);
  const kind = { split: 'test', template: 'sids', numBeams: 50, normalize: 'full' } as const;
  expect(resultsFile(model, kind)).toBe(join(model, 'results-test-sids-50.jsonl')); // no run: not into its parent
  writeFileSync(join(folder, 'config.json'), '{"stage": "sft"}');
  const names = [
    kind,
    { ...kind, split: 'valid' as const },
    { ...kind, template: 'seqrec' },
    { ...kind, numBeams: 20 },
    { ...kind, normalize: 'legal' as const },
    { ...kind, shuffleHistories: 3 },
  ].map((of) => resultsFile(model, of));
  expect(new Set(names).size).toBe(6);
  expect(names[0]).toBe(join(folder, 'results-test-sids-50.jsonl'));
  expect(names[5]).toBe(join(folder, 'results-test-sids-50-shuffled-3.jsonl'));
});

test('provenance: hashes of rows, items, index and model, the metrics and the code', async () => {
  const results = join(mkdtempSync(join(tmpdir(), 'sidlab-results-')), 'mine.jsonl');
  const [data, model] = ['test/cases/shop', 'test/cases/m_plain'];
  const report = await evaluateStage({ data, model, template: 'sids', numBeams: 10, results });
  const provenance = JSON.parse(readFileSync(results.replace('.jsonl', '.json'), 'utf8')) as Provenance;
  expect(provenance).toMatchObject({ split: 'test', template: 'sids', numBeams: 10, rows: report.rows, model });
  expect(provenance.inputs).toMatchObject({
    'shop.test.inter': hashFile(join(data, 'shop.test.inter')),
    index: hashFile(join(data, 'shop.index.json')),
    'model model.safetensors': hashFile(join(model, 'model.safetensors')),
  });
  expect(provenance.metrics.item).toEqual(report.item);
  expect(provenance.code.hash).toMatch(/^[0-9a-f]{64}$/);
});
