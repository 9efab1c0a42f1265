/** In which precision a run computes: a run goes on in the one that it began in, whatever machine it goes on at. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { type AskedPrecision, choosePrecision, type ProductShape } from '../../engine/choose-precision.js';
import { readJson } from '../../files/files.js';
import type { Precision } from '../../ops/precision.js';
import { tell } from '../../support/progress.js';

/**
 * @param run its folder @param asked `auto`: that of the run in the folder, else what this machine is faster in
 * @param again whether the run in the folder is to be made anew
 */
export function runPrecision(run: string, asked: AskedPrecision, shape: ProductShape, again: boolean): Precision {
  const file = join(run, 'config.json');
  if (asked === 'auto' && !again && existsSync(file)) {
    return readJson<{ precision?: Precision }>(file).precision ?? 'float32';
  }
  const { precision, why } = choosePrecision(asked, shape);
  if (asked === 'auto' && precision === 'bfloat16')
    tell(`products in bfloat16, for ${why}; --precision float32 for less haste`);
  return precision;
}

/** What a run's configuration says of both: nothing where they are float32, as in runs that knew nothing else. */
export function precisionStamp(
  precision: Precision,
  saveDtype: Precision = 'float32',
): { precision?: Precision; saveDtype?: Precision } {
  return { ...(precision !== 'float32' && { precision }), ...(saveDtype !== 'float32' && { saveDtype }) };
}
