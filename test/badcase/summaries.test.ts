/** Quality of SIDs, training curves and verdicts, on numbers that can be checked by hand. */
import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from '../fast-check.js';
import { describe, expect, test } from 'vitest';
import { curveFinding, curveFindings } from '../../lib/badcase/curve-findings.js';
import { modeStatistics } from '../../lib/badcase/mode-statistics.js';
import { countOutcomes, rowByRow } from '../../lib/badcase/explore/row-by-row.js';
import { indexCodes, spelledTokens } from '../../lib/data/sid-index.js';
import { sidSummary } from '../../lib/badcase/sid-summary.js';
import type { BadCaseFile } from '../../lib/badcase/report-shape.js';
import { verdictsOf } from '../../lib/badcase/verdicts.js';

const index = [
  ['<a_0>', '<b_0>'],
  ['<a_0>', '<b_0>'],
  ['<a_0>', '<b_1>'],
  ['<a_2>', '<b_1>'],
];

describe('SID quality', () => {
  const summary = sidSummary({ index, targets: [0, 2, 3, 3], categories: ['x', 'x', 'y', ''] });

  test('collisions, and their share of the traffic', () => {
    expect(summary).toMatchObject({ items: 4, sids: 3, collisions: 1, collisionRate: 0.25, ambiguousItems: 2 });
    expect(summary.ambiguousTraffic).toBe(0.25);
    expect(summary.crowdedTraffic).toBe(0.5); // items 0 to 2 have the largest first code
  });

  test('entropy in bits, perplexity and imbalance of each level', () => {
    const [first, second] = summary.levels;
    expect(first).toMatchObject({ level: 'a', codes: 3, used: 2, imbalance: 1.5 });
    expect(first!.entropy).toBeCloseTo(0.811278, 6); // of 3/4 and 1/4
    expect(first!.perplexity).toBeCloseTo(2 ** 0.811278, 5);
    expect(second).toEqual({ level: 'b', codes: 2, used: 2, entropy: 1, perplexity: 2, imbalance: 1 });
  });

  test('codes that count from 1 are as many', () => {
    const begun = indexCodes(index).map((path) => spelledTokens(path, { tokens: 'openonerec', countFrom: 0 }));
    expect(sidSummary({ index: begun, targets: [0] }).levels).toEqual(summary.levels); // begin and end are no levels
    const other = indexCodes(index).map((path) => spelledTokens(path, { tokens: 'plain', countFrom: 1 }));
    expect(sidSummary({ index: other, targets: [0, 2, 3, 3], categories: ['x', 'x', 'y', ''] })).toEqual(summary);
  });

  test('semantic gap by categories: pairs of one category, inside a prefix and across', () => {
    // three items with a category; all pairs share the first code: one of three is equal
    expect(summary.semanticGap[0]).toEqual({ by: 'categories', length: 1, within: 1 / 3, across: null, gap: null });
    expect(summary.semanticGap[1]).toEqual({ by: 'categories', length: 2, within: 1, across: 0, gap: 1 });
  });

  test('by vectors as pair after pair has it', () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.integer({ min: -3, max: 3 }), fc.integer({ min: -3, max: 3 }), fc.nat({ max: 2 })), {
          minLength: 2,
          maxLength: 12,
        }),
        (items) => {
          // prettier-ignore
          const vectors = { rows: items.length, width: 2, data: Float32Array.from(items.flatMap(([x, y]) => [x, y])) };
          const { semanticGap } = sidSummary({
            index: items.map(([, , code]) => [`<a_${code}>`]),
            targets: [],
            vectors,
          });
          const pairs = { within: [] as number[], across: [] as number[] };
          items.forEach(([x, y, code], i) =>
            items.forEach(([u, v, other], j) => {
              const norms = Math.hypot(x, y) * Math.hypot(u, v);
              if (i < j && norms > 0) pairs[code === other ? 'within' : 'across'].push((x * u + y * v) / norms);
            }),
          );
          for (const kind of ['within', 'across'] as const) {
            const mean = pairs[kind].reduce((sum, cosine) => sum + cosine, 0) / pairs[kind].length;
            if (pairs[kind].length === 0) expect(semanticGap[0]![kind]).toBeNull();
            else expect(semanticGap[0]![kind]).toBeCloseTo(mean, 5);
          }
        },
      ),
    );
  });
});

describe('training curves', () => {
  const curve = (values: number[], name = 'valid NDCG@10') => values.map((value, i) => ({ step: 10 * i, [name]: value })); // prettier-ignore
  test.each([
    ['still improving', [0.1, 0.2, 0.3]],
    ['over-fitted', [0.1, 0.3, 0.2]],
    ['settled', [0.1, 0.3, 0.31]],
    ['settled', [0.1, 0.31, 0.3]],
  ] as const)('%s: %j', (state, values) => {
    expect(curveFinding('sft', curve([...values]))).toMatchObject({ state, first: values[0], last: values[2] });
    const losses = values.map((value) => 1 - value); // falls as the other rises
    expect(curveFinding('sft', curve(losses, 'valid loss'))).toMatchObject({ state, metric: 'valid loss' });
  });

  test('RL below its start; the largest cut-off counts; too few points say nothing', () => {
    expect(curveFinding('grpo', curve([0.3, 0.4, 0.29]))).toMatchObject({ state: 'below its start', best: 0.4, bestStep: 10 }); // prettier-ignore
    expect(curveFinding('sft', curve([0.3, 0.4, 0.29]))).toMatchObject({ state: 'over-fitted' });
    const both = [0, 1].map((step) => ({ step, 'valid NDCG@5': 1, 'valid NDCG@10': 2, 'valid loss': 3 }));
    expect(curveFinding('sft', both)!.metric).toBe('valid NDCG@10');
    expect(curveFinding('sft', curve([0.3]))).toBeUndefined();
    expect(curveFinding('sft', [{ step: 1, loss: 3 }])).toBeUndefined();
  });

  test('read from the run that the model is of', () => {
    const run = mkdtempSync(join(tmpdir(), 'curves-'));
    mkdirSync(join(run, 'model'));
    expect(curveFindings(join(run, 'model'))).toEqual([]);
    writeFileSync(join(run, 'config.json'), '{"stage": "sft"}');
    writeFileSync(join(run, 'metrics.jsonl'), curve([0.1, 0.2]).map((line) => JSON.stringify(line)).join('\n') + '\n'); // prettier-ignore
    expect(curveFindings(join(run, 'model'))).toMatchObject([{ stage: 'sft', state: 'still improving', lastStep: 10 }]);
  });
});

describe('verdicts', () => {
  const rows = [...Array(200).keys()].map((i) => ({ user: `u${i}`, failed: i < 120, modes: i < 100 || i > 190 ? ['mine'] : [] })); // prettier-ignore
  const mine = { name: 'mine', help: 'it is mine', needs: [], advice: 'look', strategies: ['long_tail' as const], detect: () => () => true }; // prettier-ignore
  const facts = (): Omit<BadCaseFile, 'verdicts' | 'cases' | 'titles'> => ({
    ...{ version: 1, rows: 200, failed: 120, failureRate: 0.6, topK: 10, notRun: {}, curves: [], sidQuality: null },
    ranks: { '1-10': 80, '11-20': 40, '21-50': 30, beyond: 50 },
    ...modeStatistics([mine], rows),
  });
  const findings = (change: object): string[] => verdictsOf({ ...facts(), ...change }, [mine]).map(({ finding }) => finding); // prettier-ignore

  test('failure rate, named mode with its advice, near misses', () => {
    const [rate, mode, near] = verdictsOf(facts(), [mine]);
    expect(rate).toMatchObject({ finding: 'failure rate', value: 0.6, threshold: 0.3 });
    expect(mode).toMatchObject({ finding: 'mine', advice: 'Look.', strategies: ['long_tail'], threshold: 0.2 });
    expect(mode!.words).toMatch(/^In 83 % of the failed rows it is mine; failed rows are so 7\.41 times as often/);
    expect(near).toMatchObject({ finding: 'near miss', strategies: ['hyperparameter'] });
    expect(near!.value).toBeCloseTo(70 / 120, 12);
  });

  test('each only beyond its bound', () => {
    expect(findings({ failureRate: 0.3 })).not.toContain('failure rate');
    expect(findings({ ranks: { '1-10': 80, '11-20': 40, '21-50': 20, beyond: 60 } })).not.toContain('near miss');
    expect(findings({ topK: 20 })).not.toContain('near miss');
    expect(findings({ named: [] })).not.toContain('mine');
  });

  test('SIDs: collisions, uneven codes, and prefixes that say nothing', () => {
    const sidQuality = sidSummary({ index, targets: [0, 1] });
    expect(findings({ sidQuality })).toContain('collisions');
    expect(findings({ sidQuality })).not.toContain('imbalance');
    const even = { ...sidQuality, collisions: 0 };
    expect(findings({ sidQuality: even })).not.toContain('collisions');
    const level = { ...even.levels[0]!, used: 10, perplexity: 3 };
    expect(findings({ sidQuality: { ...even, levels: [level] } })).toContain('imbalance');
    const gap = { by: 'vectors' as const, length: 1, within: 0.3, across: 0.28, gap: 0.02 };
    expect(findings({ sidQuality: { ...even, semanticGap: [gap] } })).toContain('semantic gap');
    expect(findings({ sidQuality: { ...even, semanticGap: [{ ...gap, gap: 0.2 }] } })).not.toContain('semantic gap');
  });

  test('training that did not settle', () => {
    const curve = { stage: 'sft', metric: 'm', first: 0, best: 2, bestStep: 1, last: 1, lastStep: 2 };
    expect(findings({ curves: [{ ...curve, state: 'over-fitted' }] })).toContain('training');
    expect(findings({ curves: [{ ...curve, state: 'settled' }] })).not.toContain('training');
  });
});

test('two runs row by row', () => {
  const result = (items: number[], target = 5, user = 'u') => ({ user, history: [0], target, items, scores: items.map(() => 0) }); // prettier-ignore
  const first = [[5], [5, 1], [1, 5], [1]].map((items) => result(items));
  const second = [[5], [1, 5], [5, 1], [2]].map((items) => result(items));
  const pairs = rowByRow(first, second, 1);
  expect(pairs.map(({ outcome }) => outcome)).toEqual(['both found', 'lost', 'won', 'both failed']);
  expect(pairs.map(({ ranks }) => ranks)).toEqual([[1, 1], [1, 2], [2, 1], [0, 0]]); // prettier-ignore
  expect(countOutcomes(pairs)).toEqual({ 'both found': 1, won: 1, lost: 1, 'both failed': 1 });
  expect(countOutcomes(rowByRow(first, second))).toMatchObject({ 'both found': 3 });
  expect(() => rowByRow(first, [])).toThrow('rowByRow: expected as many rows, got 4 and 0; evaluate the same');
  expect(() => rowByRow([first[0]!], [result([], 6)])).toThrow('result 1 is of another row');
  expect(() => rowByRow([first[0]!], [result([], 5, 'v')])).toThrow('result 1 is of another row');
});
