/** The statistics of modes against statsmodels, scikit-learn and SciPy (`test/golden/badcase/make_badcase.py`). */
import { readFileSync } from 'node:fs';
import fc from '../fast-check.js';
import { describe, expect, test } from 'vitest';
import { modeStatistics } from '../../lib/badcase/mode-statistics.js';
import { holm } from '../../lib/evaluate/statistics/holm.js';
import { liftOf } from '../../lib/badcase/statistics/lift.js';
import { fitLogistic, probability } from '../../lib/badcase/statistics/logistic.js';
import { twoSidedP, Z95 } from '../../lib/badcase/statistics/normal.js';

const golden = JSON.parse(readFileSync(new URL('../golden/badcase/badcase.json', import.meta.url), 'utf8')) as {
  users: number[];
  traits: number[][];
  kind: number[];
  failed: number[];
  logit: { beta: number[]; errors: number[] };
  ridge: { beta: number[] };
  ratio: { lift: number; error: number; p: number };
  katz: { low: number; high: number };
  holm: { ps: number[]; corrected: number[] };
  normal: [number, number][];
};
const users = golden.users.map(String);
const close = (found: readonly number[], expected: readonly number[], digits = 7): void =>
  found.forEach((value, i) => expect(value).toBeCloseTo(expected[i]!, digits));

test('tails of the normal distribution, the far ones too', () => {
  for (const [z, p] of golden.normal) {
    expect(Math.abs(twoSidedP(z) / p - 1)).toBeLessThan(1e-11);
    expect(twoSidedP(-z)).toBe(twoSidedP(z));
  }
  expect(twoSidedP(Z95)).toBeCloseTo(0.05, 12);
  expect(twoSidedP(Infinity)).toBe(0);
});

describe('Holm', () => {
  test('as statsmodels', () => close(holm(golden.holm.ps), golden.holm.corrected, 12));

  test('never below p nor above Bonferroni, and in the order of p', () => {
    fc.assert(
      fc.property(fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { minLength: 1 }), (ps) => {
        const corrected = holm(ps);
        ps.forEach((p, i) => {
          expect(corrected[i]).toBeGreaterThanOrEqual(p);
          expect(corrected[i]).toBeLessThanOrEqual(Math.min(1, ps.length * p));
          ps.forEach((other, j) => p < other && expect(corrected[i]).toBeLessThanOrEqual(corrected[j]!));
        });
      }),
    );
  });
});

describe('lift', () => {
  const rows = (failedHas: number, failed: number, foundHas: number, found: number) =>
    [...Array(failed + found).keys()].map((i) => ({
      user: `u${i}`,
      failed: i < failed,
      has: i < failed ? i < failedHas : i - failed < foundHas,
    }));

  test('with a row a user, Katz’s interval', () => {
    const { lift, low, high } = liftOf(rows(30, 100, 10, 100))!;
    close([lift, low, high], [3, golden.katz.low, golden.katz.high]);
  });

  test('with several, the robust one of a log-linear model', () => {
    const { lift, low, high, p } = liftOf(
      users.map((user, i) => ({ user, failed: golden.failed[i] === 1, has: golden.kind[i] === 1 })),
    )!;
    const { error } = golden.ratio;
    close([lift, low, high], [golden.ratio.lift, lift * Math.exp(-Z95 * error), lift * Math.exp(Z95 * error)]);
    expect(p).toBeCloseTo(golden.ratio.p, 9);
  });

  test('empty cells get half a row; where all or none failed, or have it, there is none', () => {
    expect(liftOf(rows(3, 10, 0, 10))!.lift).toBeCloseTo(7, 12); // 3.5 / 11 over 0.5 / 11
    expect(liftOf(rows(0, 10, 0, 10))).toBeNull();
    expect(liftOf(rows(10, 10, 10, 10))).toBeNull();
    expect(liftOf(rows(5, 10, 0, 0))).toBeNull();
    expect(liftOf(rows(0, 0, 5, 10))).toBeNull();
  });
});

describe('logistic fit', () => {
  test('without a ridge, coefficients and errors over users as statsmodels', () => {
    const { beta, errors, converged } = fitLogistic(golden.traits, golden.failed, users, { ridge: 0 });
    expect(converged).toBe(true);
    close(beta, golden.logit.beta);
    close(errors, golden.logit.errors);
  });

  test('with it, coefficients as scikit-learn', () => {
    close(fitLogistic(golden.traits, golden.failed, users).beta, golden.ridge.beta, 6);
  });

  test('a trait whose rows all fail keeps finite odds; mean probability is the failure rate', () => {
    const traits = golden.traits.map(([a], i) => [a!, Number(golden.failed[i] === 1 && i % 3 === 0)]);
    const { beta, converged } = fitLogistic(traits, golden.failed, users);
    expect(converged).toBe(true);
    expect(beta[2]).toBeGreaterThan(2);
    expect(beta[2]).toBeLessThan(10);
    const mean = traits.reduce((sum, row) => sum + probability(beta, row), 0) / traits.length;
    expect(mean).toBeCloseTo(golden.failed.reduce((a, b) => a + b, 0) / golden.failed.length, 9);
  });
});

describe('modes together', () => {
  const detectors = ['cause', 'companion', 'mark'].map((name) => ({
    name,
    help: name,
    kind: name === 'mark' ? ('symptom' as const) : ('cause' as const),
  }));
  /** The cause makes rows fail; the companion comes with it, and does nothing by itself. */
  const rows = [...Array(600).keys()].map((i) => {
    const cause = i % 2 === 0;
    const companion = cause ? i % 10 < 8 : i % 10 === 1;
    const failed = cause ? i % 7 !== 0 : i % 3 === 0;
    return {
      user: `u${i}`,
      failed,
      modes: [...(cause ? ['cause'] : []), ...(companion ? ['companion'] : []), ...(failed ? ['mark'] : [])],
    };
  });

  test('a companion has a lift, but explains nothing once the cause is held fixed', () => {
    const { modes, named } = modeStatistics(detectors, rows);
    expect(named[0]).toBe('cause');
    const { cause, companion, mark } = modes;
    expect(companion!.lift).toBeGreaterThan(1.5);
    expect(companion!.heldFixed!.low).toBeLessThan(1);
    expect(companion!.heldFixed!.explained).toBeLessThan(0.05);
    expect(cause!.heldFixed!.low).toBeGreaterThan(1);
    expect(cause).toMatchObject({ rows: 300, count: 257, named: true });
    expect(cause!.share + 0).toBeCloseTo(257 / 357, 12);
    expect(cause!.foundShare).toBeCloseTo(43 / 243, 12);
    expect(cause!.failedShare).toBeCloseTo(257 / 300, 12);
    expect(mark).toMatchObject({ kind: 'symptom', lift: null, pHolm: null, heldFixed: null, named: false });
  });

  test('explained is the share of failures that the fit takes away with the mode', () => {
    const alone = rows.map((row) => ({ ...row, modes: row.modes.filter((name) => name === 'cause') }));
    const { heldFixed } = modeStatistics(detectors, alone).modes.cause!;
    // without the mode its 300 rows would fail as the others do: 100 of 300
    expect(heldFixed!.explained).toBeCloseTo((257 - 100) / 357, 1);
  });

  test('what lowers failing beside the cause that it comes with is not named, though its lift is above 1', () => {
    // share of failures: nothing .1, the cause alone .9, the cause with its companion .6; the companion is never alone
    const kinds = [
      { modes: [] as string[], count: 400, failed: 40 },
      { modes: ['cause'], count: 100, failed: 90 },
      { modes: ['cause', 'companion'], count: 200, failed: 120 },
    ];
    const of = ['cause', 'companion'].map((name) => ({ name, help: name }));
    const all = kinds.flatMap(({ modes, count, failed }) =>
      Array.from({ length: count }, (_, i) => ({ user: `${modes.length}/${i}`, failed: i < failed, modes })),
    );
    const { modes, named } = modeStatistics(of, all);
    expect(modes.companion!.lift).toBeGreaterThan(1);
    expect(modes.companion!.pHolm).toBeLessThan(0.05);
    expect(modes.companion!.share).toBeGreaterThan(0.2);
    expect(modes.companion!.heldFixed!.odds).toBeLessThan(1);
    expect(named).toEqual(['cause']);
  });

  test('what no row has, or every one, what is rare, and what protects is not named', () => {
    const none = modeStatistics(detectors, rows.map((row) => ({ ...row, modes: [] }))); // prettier-ignore
    expect(none.named).toEqual([]);
    expect(none.modes.cause).toMatchObject({ rows: 0, lift: null, p: null, heldFixed: null });
    const every = modeStatistics(detectors, rows.map((row) => ({ ...row, modes: ['cause'] }))); // prettier-ignore
    expect(every.modes.cause).toMatchObject({ share: 1, heldFixed: null, named: false });
    const opposite = rows.map((row) => ({ ...row, failed: !row.failed }));
    expect(modeStatistics(detectors, opposite).named).toEqual([]);
    const rare = rows.map((row, i) => ({ ...row, modes: row.failed && i < 60 ? ['cause'] : [] }));
    expect(modeStatistics(detectors, rare).modes.cause).toMatchObject({ named: false });
  });

  test('chance names a cause in few of many shops', () => {
    let named = 0;
    for (let seed = 1; seed <= 100; seed++) {
      const noise = (i: number): number => {
        const x = Math.sin(i * 12.9898 + seed * 78.233) * 43758.5453;
        return x - Math.floor(x);
      };
      const random = [...Array(200).keys()].map((i) => ({
        user: `u${i}`,
        failed: noise(3 * i) < 0.6,
        modes: ['cause', 'companion'].filter((_, k) => noise(3 * i + k + 1) < 0.4),
      }));
      named += Number(modeStatistics(detectors, random).named.length > 0);
    }
    expect(named).toBeLessThanOrEqual(6);
  });
});
