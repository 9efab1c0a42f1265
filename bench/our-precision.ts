/** The precision that ours of a benchmark computes in. */
import { InputError } from 'sidlab';
import { choosePrecision, type ProductShape } from 'sidlab/engine';

/** Of the large products. */
export type Precision = 'float32' | 'bfloat16';
/** `auto`: what the kit chooses on this machine. */
export type AskedPrecision = Precision | 'auto';

/** SIDLAB_BENCH_PRECISION, default `auto`. @throws InputError for another name */
export function askedPrecision(): AskedPrecision {
  const asked = process.env.SIDLAB_BENCH_PRECISION ?? 'auto';
  if (asked === 'auto' || asked === 'float32' || asked === 'bfloat16') return asked;
  throw new InputError(`SIDLAB_BENCH_PRECISION: expected auto, float32 or bfloat16, got ${asked}`);
}

/**
 * Runs ours of a benchmark in a precision.
 * @param work is told what it runs in
 * @param shape of the model's products, by which `auto` chooses; default one so small that it chooses float32
 */
export function inPrecision<T>(
  asked: AskedPrecision,
  work: (precision: Precision) => T,
  shape: ProductShape = { width: 128, feedForward: 512 },
): T {
  return work(choosePrecision(asked, shape).precision);
}
