/**
 * Whatever its inputs, a native operation computes or refuses with its name. A short run here; the sanitizers' run is
 * longer (`node kernels/setup/sanitize.mjs`, which sets the two variables).
 */
import { expect, test } from 'vitest';
import { useEngine } from '../../lib/engine/engine.js';
import { NATIVE_OPS } from '../../lib/engine/native-ops.js';
import { hasFused } from '../../lib/ops/fused.js';
import { fuzzNative } from './fuzz-native.js';

await useEngine();

const {
  SIDLAB_FUZZ_INPUTS: inputs = '2000',
  SIDLAB_FUZZ_SEED: seed = '1',
  SIDLAB_FUZZ_FIRST: first = '0',
} = process.env;

test.skipIf(!hasFused('SidlabRmsNorm'))(
  `${inputs} inputs of seed ${seed}: computed or refused by name`,
  { timeout: 3_600_000 },
  () => {
    const counts = fuzzNative(Number(inputs), Number(seed), Number(first));
    const sum = (of: 'valid' | 'computed' | 'refused'): number =>
      Object.values(counts).reduce((total, count) => total + count[of], 0);
    process.stderr.write(
      `native operations: ${sum('valid')} valid inputs computed, of the broken ones ${sum('refused')} refused, ${sum('computed')} computed\n`,
    );
    expect(Object.keys(counts).sort()).toEqual([...NATIVE_OPS].sort());
    for (const count of Object.values(counts)) expect(Math.min(count.valid, count.refused)).toBeGreaterThan(0);
  },
);
