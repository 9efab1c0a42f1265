/** What PyTorch, NumPy and SciPy computed (`test/golden/sid/make_sid.py`). */
import { readFileSync } from 'node:fs';

interface Case {
  estimator: 'straight-through' | 'rotation' | 'gumbel';
  ema: boolean;
  terms: string[];
  quantized: number[];
  loss: number;
  codes: number[][];
  values: Record<string, number>;
  latent: number[];
  books: number[][] | null;
}

export interface SidGolden {
  optimizers: {
    rate: number;
    decay: number;
    begin: number[];
    gradients: number[][];
    after: Record<string, number[][]>;
  };
  quantizer: {
    rows: number;
    width: number;
    sizes: number[];
    commitment: number;
    weight: number;
    z: number[];
    books: number[][];
    dQuantized: number[];
    noise: number[][];
    gumbelTemperature: number;
    balanceTemperature: number;
    collaborative: number[];
    positives: number[][];
    weights: Record<'balance' | 'collaborative' | 'diversity', number>;
    cases: Case[];
  };
  l1: { x: number[]; before: Record<string, number[]>; losses: number[]; gradients: Record<string, number[]> };
  ema: { decay: number; book: number[]; updates: { codes: number[]; rows: number[]; book: number[] }[] };
  rounds: {
    items: number[][];
    levels: number[][][];
    raw: number[][];
    epsilon: number;
    iterations: number;
    'after one': number[][];
    settled: number[][];
  };
  procrustes: { left: number[]; right: number[]; rotation: number[] };
}

export const golden = JSON.parse(readFileSync('test/golden/sid/sid.json', 'utf8')) as SidGolden;

/** The largest difference, and the lengths agree. */
export function worst(got: ArrayLike<number>, want: readonly number[]): number {
  if (got.length !== want.length) return Infinity;
  return want.reduce((most, value, i) => Math.max(most, Math.abs(value - got[i]!)), 0);
}
