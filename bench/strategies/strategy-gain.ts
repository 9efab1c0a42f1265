/**
 * Whether strategies help where they aim: in shops with a fault planted, HR@10 of the rows that a strategy is for and of all
 * rows, by a model without and one with it, over seeds. It resumes; SIDLAB_BENCH_SEEDS says how many seeds (default 10) or
 * which (`3-4`), SIDLAB_BENCH_STRATEGIES which strategies.
 */
import { join } from 'node:path';
import { homeFolder } from 'sidlab';
import { meanOf } from '../mean.js';
import { FULL } from '../planted/run-planted.js';
import type { Row } from '../row.js';
import { askedSeeds } from '../seeds.js';
import { type GainCase, GAIN_CASES } from './cases.js';
import { type Gain, runGain } from './run-gain.js';

export async function strategyGain(): Promise<Row[]> {
  const asked = process.env.SIDLAB_BENCH_STRATEGIES?.split(',');
  const cases = GAIN_CASES.filter(({ strategy }) => asked?.includes(strategy) ?? true);
  const home = join(homeFolder(), 'data/strategy-gain');
  const gains = new Map<GainCase, Gain[]>(cases.map((of) => [of, []]));
  for (const seed of askedSeeds('SIDLAB_BENCH_SEEDS', 10)) {
    for (const of of cases) {
      const gain = await runGain(home, of, seed, FULL);
      gains.get(of)!.push(gain);
      const { before, after, called } = gain;
      console.error(JSON.stringify({ seed, strategy: of.strategy, called, before, after }));
    }
  }
  return cases.flatMap((of) => gainRows(of, gains.get(of)!));
}

/** Two rows of a case: the rows that it aims at, and all. */
export function gainRows({ strategy, slice }: Pick<GainCase, 'strategy' | 'slice'>, gains: readonly Gain[]): Row[] {
  return (['aimed', 'all'] as const).map((which): Row => {
    const differences = gains.map(({ before, after }) => after[which] - before[which]);
    const { mean, half } = tInterval(differences);
    const better = differences.filter((difference) => difference > 0).length;
    const [ours, peer] = [meanOf(gains.map(({ after }) => after[which])), meanOf(gains.map(({ before }) => before[which]))]; // prettier-ignore
    const reached = which === 'aimed' ? better >= 0.9 * gains.length || mean - half > 0 : mean + half >= 0;
    return {
      ...{ name: `${strategy}: ${which === 'aimed' ? slice : 'all rows'}`, ours, peer, floor: null, unit: 'HR@10' },
      ...{ ratio: peer > 0 ? ours / peer : null, reached, spread: 2 * half, precision: 'float32', peerPrecision: null },
      goal: which === 'aimed' ? 'better in 9 of 10, or interval above 0' : 'interval not below 0',
      note: `${better} of ${gains.length} better; difference ${mean.toFixed(4)} +- ${half.toFixed(4)} (95 %, t over seeds); called for in ${gains.filter(({ called }) => called).length}`,
    };
  });
}

/** 97.5 % points of Student's t, by degrees of freedom from 1. */
const T = [12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228, 2.201, 2.179, 2.16, 2.145];

/** Mean, and half of its 95 % interval; infinite for one number. */
export function tInterval(values: readonly number[]): { mean: number; half: number } {
  const mean = meanOf(values);
  const freedom = values.length - 1;
  if (freedom < 1) return { mean, half: Infinity };
  const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / freedom;
  return { mean, half: (T[freedom - 1] ?? 1.96) * Math.sqrt(variance / values.length) };
}
