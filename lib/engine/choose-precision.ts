/**
 * In which precision a model's products are computed where nobody says: the machine is asked, once for each processor,
 * TensorFlow and shape. Processors of one family differ: where one multiplies bfloat16 twice as fast as float32, another
 * takes twice as long.
 */
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { cpus, homedir } from 'node:os';
import { dirname, join } from 'node:path';
import * as tf from '@tensorflow/tfjs';
import { installed } from './installed.js';

/** What may be asked for. */
export type AskedPrecision = 'auto' | 'float32' | 'bfloat16';

/** The widths of a model's products. */
export interface ProductShape {
  /** D */
  width: number;
  /** F */
  feedForward: number;
}

/** GFLOP/s of a layer's product, its rounding to bfloat16 and back included. */
export interface PrecisionRates {
  float32: number;
  bfloat16: number;
}

/** What was chosen, and why. */
export interface ChosenPrecision {
  precision: 'float32' | 'bfloat16';
  /** In a line. */
  why: string;
  /** Where they were asked. */
  rates?: PrecisionRates;
}

/** bfloat16 loses two digits: it must be worth it. */
const GAIN = 1.3;
/** Below it the rounding takes longer than the product on every processor. */
const LEAST_WIDTH = 256;
/** Rows of the product that is measured: tokens of a micro-batch. */
const ROWS = 512;

/** @param asked a precision is taken as it is; `auto` asks the machine */
export function choosePrecision(asked: AskedPrecision, shape: ProductShape): ChosenPrecision {
  if (asked !== 'auto') return { precision: asked, why: 'asked for' };
  if (tf.getKernel('SidlabMatMulBfloat16', tf.getBackend()) === undefined) {
    return { precision: 'float32', why: `the ${tf.getBackend()} engine has no bfloat16` };
  }
  if (shape.width < LEAST_WIDTH) return { precision: 'float32', why: `a width of ${shape.width} is too small for it` };
  const rates = precisionRates(shape);
  const share = rates.bfloat16 / rates.float32;
  const what = `bfloat16 products take ${(1 / share).toFixed(2)} x float32's time here`;
  return { precision: share >= GAIN ? 'bfloat16' : 'float32', why: what, rates };
}

/** Measured once, then read from `$XDG_CACHE_HOME/sidlab/precision.json` (default `~/.cache`). */
export function precisionRates(shape: ProductShape, file = cacheFile()): PrecisionRates {
  const device = (tf.backend() as { isUsingGpuDevice?: boolean }).isUsingGpuDevice === true ? 'gpu' : 'cpu';
  const key = [processor(), device, installed().tensorflow, `${shape.width}x${shape.feedForward}`].join(' | ');
  const known = readCache(file);
  if (known[key]) return known[key];
  const rates = measure(shape);
  try {
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, JSON.stringify({ ...known, [key]: rates }, null, 2));
  } catch {
    // A folder that cannot be written costs the measurement again, nothing else.
  }
  return rates;
}

/** Its name, and what it can do: virtual machines of one name differ in their instructions. */
function processor(): string {
  const file = '/proc/cpuinfo';
  const flags = existsSync(file) ? (/^flags\s*:.*$/m.exec(readFileSync(file, 'utf8'))?.[0] ?? '') : '';
  return `${cpus()[0]?.model.trim()} ${createHash('sha256').update(flags).digest('hex').slice(0, 8)}`;
}

function cacheFile(): string {
  return join(process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'sidlab/precision.json');
}

function readCache(file: string): Record<string, PrecisionRates> {
  try {
    return existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as Record<string, PrecisionRates>) : {};
  } catch {
    return {}; // written by another process this moment, or damaged: measured again
  }
}

/** The best of several, in turn: whatever else the machine does hits both. */
function measure({ width, feedForward }: ProductShape): PrecisionRates {
  return tf.tidy(() => {
    const x = tf.randomNormal<tf.Rank.R2>([ROWS, width]);
    const weight = tf.randomNormal<tf.Rank.R2>([feedForward, width]);
    const half = kernel('SidlabToBfloat16', [weight]); // once an update, not once a product
    const ways = {
      float32: () => tf.matMul(x, weight, false, true),
      bfloat16: () => {
        const rounded = kernel('SidlabToBfloat16', [x]);
        const product = kernel('SidlabMatMulBfloat16', [rounded, half], { transposeA: false, transposeB: true });
        return kernel('SidlabFromBfloat16', [product]);
      },
    };
    const best = { float32: Infinity, bfloat16: Infinity };
    for (let round = 0; round < 6; round++) {
      for (const way of ['float32', 'bfloat16'] as const) {
        const start = performance.now();
        tf.tidy(() => void ways[way]().slice([0, 0], [1, 1]).dataSync()); // one element waits for all
        best[way] = Math.min(best[way], performance.now() - start);
      }
    }
    const rate = (milliseconds: number): number => Math.round((2 * ROWS * width * feedForward) / milliseconds / 1e6);
    return { float32: rate(best.float32), bfloat16: rate(best.bfloat16) };
  });
}

function kernel(name: string, inputs: tf.Tensor[], attributes: Record<string, boolean> = {}): tf.Tensor {
  const named = Object.fromEntries(inputs.map((input, i) => [`input${i}`, input]));
  return tf.engine().runKernel(name, named, attributes) as tf.Tensor;
}
