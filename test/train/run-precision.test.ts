/** A run goes on in the precision that it began in. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { precisionStamp, runPrecision } from '../../lib/train/loop/run-precision.js';

const run = mkdtempSync(join(tmpdir(), 'sidlab-run-precision-'));
afterAll(() => rmSync(run, { recursive: true }));
const small = { width: 32, feedForward: 64 };

test.each([
  ['auto', undefined, false, 'float32'], // a small model
  ['auto', 'bfloat16', false, 'bfloat16'], // the run's
  ['auto', 'bfloat16', true, 'float32'], // anew
  ['float32', 'bfloat16', false, 'float32'], // which the run then refuses
  ['bfloat16', undefined, false, 'bfloat16'],
] as const)('%s in a run of %s (again: %s): %s', (asked, began, again, expected) => {
  writeFileSync(join(run, 'config.json'), JSON.stringify({ stage: 'sft', ...(began && precisionStamp(began)) }));
  expect(runPrecision(run, asked, small, again)).toBe(expected);
  expect(runPrecision(join(run, 'none'), asked, small, again)).toBe(asked === 'auto' ? 'float32' : asked);
});

test('a run in float32 is recorded as ever', () => {
  expect(precisionStamp('float32')).toEqual({});
  expect(precisionStamp('bfloat16')).toEqual({ precision: 'bfloat16' });
  expect(precisionStamp('float32', 'bfloat16')).toEqual({ saveDtype: 'bfloat16' });
});
