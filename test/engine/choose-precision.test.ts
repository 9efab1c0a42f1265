/** Which precision is chosen: what was asked for, else what the machine was measured to be faster in. */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { choosePrecision, precisionRates } from '../../lib/engine/choose-precision.js';
import { useEngine } from '../../lib/engine/engine.js';
import { hasBfloat16 } from '../../lib/ops/bfloat16.js';

const shape = { width: 256, feedForward: 300 };
const folder = mkdtempSync(join(tmpdir(), 'sidlab-precision-'));
const file = join(folder, 'sidlab/precision.json');
const before = process.env.XDG_CACHE_HOME;

await useEngine();
const native = hasBfloat16();
beforeAll(() => {
  process.env.XDG_CACHE_HOME = folder;
});
afterAll(async () => {
  if (before === undefined) delete process.env.XDG_CACHE_HOME;
  else process.env.XDG_CACHE_HOME = before;
  rmSync(folder, { recursive: true });
  await useEngine();
});

test('what is asked for is taken as it is', () => {
  for (const precision of ['float32', 'bfloat16'] as const) {
    expect(choosePrecision(precision, shape)).toEqual({ precision, why: 'asked for' });
  }
});

test('an engine without bfloat16, and a small model, compute in float32', async () => {
  await useEngine('cpu');
  expect(choosePrecision('auto', shape)).toEqual({ precision: 'float32', why: 'the cpu engine has no bfloat16' });
  await useEngine();
  expect(choosePrecision('auto', { width: 128, feedForward: 512 }).precision).toBe('float32');
});

describe.runIf(native)('measured', () => {
  test('both rates, once: then they are read', () => {
    const rates = precisionRates(shape);
    expect(rates.float32).toBeGreaterThan(0);
    expect(rates.bfloat16).toBeGreaterThan(0);
    const kept = JSON.parse(readFileSync(file, 'utf8')) as Record<string, object>;
    expect(Object.values(kept)).toEqual([rates]);
    expect(Object.keys(kept)[0]).toContain('256x300');
    expect(precisionRates(shape)).toEqual(rates);
  });

  test.each([
    [200, 'bfloat16'],
    [130, 'bfloat16'],
    [129, 'float32'],
    [50, 'float32'],
  ] as const)('bfloat16 at %d against float32 at 100 GFLOP/s: %s', (rate, precision) => {
    const [key] = Object.keys(JSON.parse(readFileSync(file, 'utf8')) as object);
    writeFileSync(file, JSON.stringify({ [key!]: { float32: 100, bfloat16: rate } }));
    const chosen = choosePrecision('auto', shape);
    expect(chosen).toMatchObject({ precision, rates: { float32: 100, bfloat16: rate } });
    expect(chosen.why).toBe(`bfloat16 products take ${(100 / rate).toFixed(2)} x float32's time here`);
  });

  test('a damaged file, or one that cannot be written, is measured again', () => {
    writeFileSync(file, '{"half');
    expect(precisionRates(shape).float32).toBeGreaterThan(0);
    const taken = join(folder, 'taken');
    mkdirSync(taken);
    expect(precisionRates(shape, taken).float32).toBeGreaterThan(0); // a folder of that name
  });
});
