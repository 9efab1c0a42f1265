/** The precision that ours of a benchmark computes in. */
import { InputError } from 'sidlab';

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
 * Runs ours of a benchmark in a precision: the one place where it is passed on to the kit, which computes in float32
 * whatever is asked.
 * @param work is told what it runs in
 */
export function inPrecision<T>(_asked: AskedPrecision, work: (precision: Precision) => T): T {
  return work('float32');
}
