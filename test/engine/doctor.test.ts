import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { doctor } from '../../lib/engine/doctor.js';
import { installed } from '../../lib/engine/installed.js';

test('on wasm: names the engine, measures it, lists what runs elsewhere and what is missing', async () => {
  const report = await doctor({ engine: 'wasm', seconds: 0.1 });
  expect(report).toMatchObject({ backend: 'wasm', threads: 1, node: process.versions.node });
  expect(report).toMatchObject({ precision: 'float32', precisionWhy: 'the wasm engine has no bfloat16' });
  expect(report.device.length).toBeGreaterThan(0);
  expect(report.kernels.fallback).toContain('Einsum');
  expect(report.kernels.native).toBeGreaterThan(100);
  expect(report.gflops.measured).toBeGreaterThan(0.1);
  expect(report.gflops.best).toBeGreaterThanOrEqual(report.gflops.measured);
  expect(report.missing.some((line) => line.startsWith('TensorFlow') && line.includes('npm run setup'))).toBe(true);
});

test('versions are read from the venv, null where there is none', () => {
  const root = mkdtempSync(join(tmpdir(), 'sidlab-'));
  const packages = join(root, '.venv/lib/python3.12/site-packages');
  try {
    expect(installed(root)).toEqual({ python: null, jupyterlab: null, tensorflow: null, torch: null });
    for (const name of [
      'torch-2.13.0+cpu',
      'torchvision-0.1',
      'jupyterlab-4.6.6',
      'jupyterlab_server-2',
      'tensorflow_cpu-2.21.0',
    ]) {
      mkdirSync(join(packages, `${name}.dist-info`), { recursive: true });
    }
    writeFileSync(join(root, '.venv/pyvenv.cfg'), 'home = /usr\nversion = 3.12.4\n');
    expect(installed(root)).toEqual({
      python: '3.12.4',
      jupyterlab: '4.6.6',
      tensorflow: '2.21.0',
      torch: '2.13.0+cpu',
    });
  } finally {
    rmSync(root, { recursive: true });
  }
});
