/** What `sidlab evaluate` says of a model that counting beats. */
import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { evaluateBesideBaselines } from '../../lib/baselines/rank-baselines.js';
import { transition } from '../../lib/baselines/transition.js';
import { COMMANDS } from '../../lib/cli/commands.js';
import { loadDataset } from '../../lib/data/load.js';
import { useEngine } from '../../lib/engine/engine.js';
import { itemMetrics } from '../../lib/evaluate/metrics.js';

const folder = mkdtempSync(join(tmpdir(), 'sidlab-evaluate-beside-'));
const options = { data: join(folder, 'shop'), model: join(folder, 'm_plain'), template: 'sids', numBeams: 4 };

beforeAll(async () => {
  await useEngine();
  cpSync('test/cases/shop', options.data, { recursive: true });
  cpSync('test/cases/m_plain', options.model, { recursive: true });
});
afterAll(() => rmSync(folder, { recursive: true }));

test('a line for each baseline that the model is below, on the same rows', async () => {
  const report = await evaluateBesideBaselines(options);
  const { train, test: rows } = await loadDataset(options.data);
  const [, beside] = report.beside!;
  expect(beside).toMatchObject({ baseline: 'transition', metric: 'NDCG@4', model: report.results });
  expect(beside!.b).toBeCloseTo(itemMetrics(transition(train, rows, { topK: 4 }), [4])['NDCG@4']!, 12);
  const below = report.beside!.filter(({ difference }) => difference < 0);
  const lines = report.warnings!.filter((line) => line.includes('the baseline'));
  expect(lines).toHaveLength(below.length);
  expect(below.length).toBeGreaterThan(0);
  const text = await COMMANDS.evaluate!.print!(report as never);
  expect(text.endsWith(report.warnings!.join('\n'))).toBe(true);
  expect(text).not.toMatch(/^beside/m);
});

test('nothing of a share', async () => {
  const report = await evaluateBesideBaselines({ ...options, shard: '1/2' });
  expect([report.beside, report.warnings]).toEqual([undefined, undefined]);
});
