import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import * as tf from '@tensorflow/tfjs';
import { afterEach, describe, expect, test } from 'vitest';
import { doctor } from '../../lib/engine/doctor.js';
import { ENGINES, useEngine } from '../../lib/engine/engine.js';
import { kernelCounts } from '../../lib/engine/kernel-counts.js';

const root = fileURLToPath(new URL('../..', import.meta.url));
const packageFolder = dirname(createRequire(import.meta.url).resolve('@tensorflow/tfjs-node-gpu/package.json'));
const built = existsSync(join(packageFolder, 'lib/napi-v8/tfjs_binding.node'));

afterEach(() => tf.disposeVariables());

/** A layer, its loss and its gradients. */
function work(): number {
  return tf.tidy(() => {
    const w = tf.tensor2d([1, 2, 3, 4], [2, 2]);
    const x = tf.tensor2d([1, -1], [1, 2]);
    const { value, grads } = tf.valueAndGrads((m: tf.Tensor) =>
      x
        .matMul(m as tf.Tensor2D)
        .softmax()
        .log()
        .sum(),
    )([w]);
    return value.dataSync()[0]! + grads[0]!.sum().dataSync()[0]!;
  });
}

describe('the engine that doctor names is the engine that computes', () => {
  test('with the addon built, that is tensorflow: its native operations run, and nothing runs on cpu', async (context) => {
    if (!built) context.skip('the addon is not built here (no compiler or no TensorFlow); npm run setup says why');
    expect((await doctor({ engine: 'auto', seconds: 0.05 })).backend).toBe('tensorflow');
    const { own, native, forwarded } = await kernelCounts(work);
    const products = Object.entries(native).filter(([name]) => name.includes('MatMul'));
    expect(products.reduce((sum, [, calls]) => sum + calls, 0)).toBeGreaterThanOrEqual(2);
    expect(native.Softmax).toBe(1);
    expect(Object.keys(own)).toEqual(['tensorflow']);
    expect(forwarded).toEqual({});
  });

  test.each(['wasm', 'cpu'])('%s: its own kernels run, none of another engine', async (engine) => {
    await useEngine(engine);
    const { own, native, forwarded } = await kernelCounts(work);
    expect(Object.keys(own)).toEqual([engine]);
    expect(own[engine]!.BatchMatMul).toBeGreaterThanOrEqual(2);
    expect(native).toEqual({});
    expect(forwarded).toEqual({});
  });

  test('a fallback would be seen: kernels of cpu are counted as cpu', async () => {
    await useEngine('wasm');
    await tf.setBackend('cpu');
    const { own } = await kernelCounts(work);
    expect(own.wasm).toBeUndefined();
    expect(own.cpu!.BatchMatMul).toBeGreaterThan(0);
  });

  test('counting leaves no trace', async () => {
    await useEngine('cpu');
    const before = tf.getKernel('BatchMatMul', 'cpu').kernelFunc;
    const { own } = await kernelCounts(() => undefined);
    expect(own).toEqual({});
    expect(tf.getKernel('BatchMatMul', 'cpu').kernelFunc).toBe(before);
  });
});

describe('choosing', () => {
  test('an unknown engine is an error that lists the known ones', async () => {
    await expect(useEngine('cuda')).rejects.toThrow(`expected auto or one of ${ENGINES.join(', ')}, got cuda`);
  });

  /** In a process of its own, in which the addon cannot be found. */
  const without = (backend: string) =>
    spawnSync(process.execPath, ['--import', block(), '-e', `import('./dist/engine.js').then(${report})`], {
      cwd: root,
      encoding: 'utf8',
      env: { ...process.env, SIDLAB_BACKEND: backend },
    });
  const report = '(m) => m.useEngine().then((e) => console.log(e), (e) => console.log(e.name, e.message))';
  const block = () => {
    const text = `import { Module } from 'node:module';
      const load = Module._load;
      Module._load = (id, ...rest) => {
        if (id.endsWith('tfjs-node-gpu')) throw new Error('The Node.js native addon module (x) can not be found at y\\nz');
        return load(id, ...rest);
      };`;
    return `data:text/javascript,${encodeURIComponent(text)}`;
  };

  test.runIf(existsSync(join(root, 'dist/engine.js')))(
    'without the addon: by name an error, else wasm and one line',
    () => {
      const named = without('tensorflow');
      expect(named.stdout).toMatch(
        /^InputError SIDLAB_BACKEND: no tensorflow engine \(its addon is not built\); npm run setup/,
      );
      expect(named.stderr).toBe('');
      const auto = without('');
      expect(auto.stdout).toBe('wasm\n');
      expect(auto.stderr).toBe(
        'sidlab: no tensorflow engine (its addon is not built); computing on wasm, slower. ' +
          'Mend: npm run setup says what is missing\n',
      );
    },
  );
});
