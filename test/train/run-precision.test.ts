/** A run goes on in the precision that it began in. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as tf from '@tensorflow/tfjs';
import { afterAll, expect, test, vi } from 'vitest';
import { type AskedPrecision, precisionRates } from '../../lib/engine/choose-precision.js';
import { useEngine } from '../../lib/engine/engine.js';
import { setNoticeSink } from '../../lib/support/progress.js';
import { precisionStamp, runPrecision } from '../../lib/train/loop/run-precision.js';

await useEngine();

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

test.runIf(tf.getKernel('SidlabMatMulBfloat16', tf.getBackend()))(
  'what the machine was asked about is said, and nothing else',
  () => {
    const shape = { width: 256, feedForward: 1 };
    const cache = join(run, 'sidlab', 'precision.json');
    const said: string[] = [];
    setNoticeSink((line) => said.push(line));
    vi.stubEnv('XDG_CACHE_HOME', run);
    try {
      const of = (asked: AskedPrecision, bfloat16: number) => {
        precisionRates(shape); // measured once, then as it is written here
        const rates = JSON.parse(readFileSync(cache, 'utf8')) as Record<string, object>;
        const [key] = Object.keys(rates);
        writeFileSync(cache, JSON.stringify({ [key!]: { float32: 100, bfloat16 } }));
        said.length = 0;
        return [runPrecision(join(run, 'none'), asked, shape, false), said.length];
      };
      expect(of('auto', 200)).toEqual(['bfloat16', 1]);
      expect(said[0]).toContain('products in bfloat16');
      expect(of('auto', 100)).toEqual(['float32', 0]);
      expect(of('bfloat16', 200)).toEqual(['bfloat16', 0]);
      expect(of('float32', 200)).toEqual(['float32', 0]);
    } finally {
      vi.unstubAllEnvs();
      setNoticeSink(undefined);
    }
  },
);

test('a run in float32 is recorded as ever', () => {
  expect(precisionStamp('float32')).toEqual({});
  expect(precisionStamp('bfloat16')).toEqual({ precision: 'bfloat16' });
  expect(precisionStamp('float32', 'bfloat16')).toEqual({ saveDtype: 'bfloat16' });
});
