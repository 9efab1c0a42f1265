/** The benchmark of strategies in a minute's form: its statistics by hand, and one run on the tiny sample that resumes. */
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ensureEngine } from 'sidlab/engine';
import { beforeAll, describe, expect, test } from 'vitest';
import { GAIN_CASES } from '../../bench/strategies/cases.js';
import { type Gain, runGain } from '../../bench/strategies/run-gain.js';
import { gainRows, tInterval } from '../../bench/strategies/strategy-gain.js';
import { STRATEGIES } from '../../lib/strategies/strategies.js';

const gain = (aimed: number, all: number): Gain => ({
  ...{ strategy: 's', seed: 1, called: true, rows: { aimed: 10, all: 100 }, changes: {}, seconds: 1 },
  ...{ before: { aimed: 0.1, all: 0.5 }, after: { aimed: 0.1 + aimed, all: 0.5 + all } },
});
const of = { strategy: 's', slice: 'some rows' };

describe('statistics', () => {
  test("Student's interval: scipy.stats.t.interval(0.95, 3, loc=mean, scale=sem) of [1, 2, 3, 6]", () => {
    const { mean, half } = tInterval([1, 2, 3, 6]);
    expect(mean).toBe(3);
    expect(half).toBeCloseTo(3.4372, 3);
    expect(tInterval([1]).half).toBe(Infinity);
  });

  test('reached: nine of ten better or an interval above 0; all rows: not below 0', () => {
    const reached = (gains: Gain[]) => gainRows(of, gains).map((row) => row.reached);
    const nine = [...Array.from({ length: 9 }, () => gain(0.01, 0)), gain(-0.5, 0)];
    expect(reached(nine)).toEqual([true, true]);
    expect(reached([...nine.slice(1), gain(-0.5, 0)])).toEqual([false, true]);
    expect(reached([gain(0.1, -0.1), gain(0.11, -0.11), gain(0.12, -0.1)])).toEqual([true, false]);
    expect(gainRows(of, nine)[0]!.note).toContain('9 of 10 better');
  });
});

test('every strategy of the kit has a case', () => {
  expect(GAIN_CASES.map(({ strategy }) => strategy).sort()).toEqual(STRATEGIES.map(({ name }) => name).sort());
});

describe('a run', () => {
  beforeAll(async () => void (await ensureEngine()));

  test('trains without and with the strategy, and is read when it is done', async () => {
    const home = mkdtempSync(join(tmpdir(), 'sidlab-gain-'));
    const how = { size: 'tiny', epochs: 1 } as const;
    const cold = GAIN_CASES.find(({ strategy }) => strategy === 'cold_start')!;
    const first = await runGain(home, cold, 1, how);
    expect(first.changes).toEqual({ 'sft.coldTargets': 8 });
    expect(first.rows.aimed).toBeGreaterThan(0);
    expect(first.rows.aimed).toBeLessThan(first.rows.all);
    const file = join(home, 'seed-1/cold_start.json');
    writeFileSync(file, JSON.stringify({ ...first, called: 'read' }));
    expect((await runGain(home, cold, 1, how)).called).toBe('read');
    expect(readFileSync(file, 'utf8')).toContain('"read"');
  });

  test('in a shop where nobody buys again, no target is lost without the history', async () => {
    const home = mkdtempSync(join(tmpdir(), 'sidlab-gain-'));
    const once = GAIN_CASES.find(({ strategy }) => strategy === 'exclude_history')!;
    const { changes, before, after, rows } = await runGain(home, once, 1, { size: 'tiny', epochs: 1 });
    expect(changes).toEqual({ 'evaluate.excludeHistory': true });
    expect(rows.aimed).toBe(rows.all);
    expect(after.all).toBeGreaterThanOrEqual(before.all);
  });
});
