/** The run card: hashes of what went in, and where it ran. */
import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as tf from '@tensorflow/tfjs';
import { beforeAll, expect, test } from 'vitest';
import { useEngine } from '../../lib/engine/engine.js';
import { codeVersion } from '../../lib/runs/code-version.js';
import { runCard } from '../../lib/train/report/run-card.js';

beforeAll(async () => void (await useEngine()));

test('names every file that went in by its hash, the code, the versions and the machine', () => {
  const dir = mkdtempSync(join(tmpdir(), 'sidlab-card-'));
  const files = ['shop.item.json', 'shop.train.inter', 'shop.valid.inter', 'shop.test.inter', 'shop.index.json'];
  for (const file of [...files, 'config.json', 'model.safetensors', 'README.md']) writeFileSync(join(dir, file), file);
  const sha = (file: string): string => createHash('sha256').update(file).digest('hex');
  const inputs = { dataset: { dir, name: 'shop' }, index: join(dir, 'shop.index.json'), model: dir };
  const card = runCard({ steps: 3, seconds: 1.5 }, { seed: 7 }, inputs);
  expect(card.inputs).toEqual({
    ...Object.fromEntries(files.slice(0, 4).map((file) => [file, sha(file)])),
    index: sha('shop.index.json'),
    ...{ 'model config.json': sha('config.json'), 'model model.safetensors': sha('model.safetensors') },
  });
  expect(card).toMatchObject({ seed: 7, seconds: 1.5, backend: tf.getBackend(), code: codeVersion() });
  expect(card.code.hash).toMatch(/^[0-9a-f]{64}$/);
  const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as Record<
    string,
    string
  >;
  expect(card.versions).toMatchObject({ sidlab: version, tfjs: '4.22.0', node: process.versions.node });
  expect(card.hardware.cores).toBeGreaterThan(0);
  expect(card.hardware.precision).toBe('float32');
  const half = runCard({ seconds: 1 }, { seed: 7, precision: 'bfloat16' }, inputs);
  expect(half.hardware.precision).toBe('bfloat16');
  expect(JSON.parse(JSON.stringify(card))).toEqual(card);
  const shape = runCard({ seconds: 1 }, { seed: 7 }, { ...inputs, model: 'qwen2:32x1' });
  expect(Object.keys(shape.inputs)).toEqual([...files.slice(0, 4), 'index']);
});
