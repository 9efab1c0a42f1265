/** Weights in several files: transformers' layout, read back the same; what another save left behind goes. */
import { mkdtempSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import { useEngine } from '../../../lib/engine/engine.js';
import { parseShape } from '../../../lib/lm/config.js';
import { loadModel, saveModel } from '../../../lib/lm/model.js';
import { randomWeights, weightShapes } from '../../../lib/lm/weights.js';

beforeAll(async () => void (await useEngine()));

const config = parseShape('qwen2:32x2', 50, 0);
const model = { config, weights: randomWeights(config, 3) };
const files = (folder: string) => readdirSync(folder).filter((name) => name.includes('safetensors'));

test.each(['float32', 'bfloat16'] as const)('%s', (saveDtype) => {
  const folder = mkdtempSync(join(tmpdir(), 'sidlab-shards-'));
  saveModel(folder, model, undefined, undefined, { saveDtype });
  expect(files(folder)).toEqual(['model.safetensors']);
  const whole = loadModel(folder);
  const limit = 20_000;
  saveModel(folder, model, undefined, undefined, { saveDtype, maxShardSize: limit / 1e9 });
  const names = files(folder).filter((name) => name !== 'model.safetensors.index.json');
  expect(names.length).toBeGreaterThan(2);
  expect(names).toEqual(names.map((_, i) => `model-0000${i + 1}-of-0000${names.length}.safetensors`));
  const { metadata, weight_map: map } = JSON.parse(
    readFileSync(join(folder, 'model.safetensors.index.json'), 'utf8'),
  ) as { metadata: { total_size: number }; weight_map: Record<string, string> };
  const shapes = weightShapes(config);
  expect(Object.keys(map)).toEqual([...shapes.keys()]);
  const each = saveDtype === 'float32' ? 4 : 2;
  const sizes = names.map((name) =>
    [...shapes].reduce(
      (sum, [key, shape]) => sum + (map[key] === name ? each * shape.reduce((a, b) => a * b, 1) : 0),
      0,
    ),
  );
  expect(metadata.total_size).toBe(sizes.reduce((a, b) => a + b));
  names.forEach((name, i) => expect(statSync(join(folder, name)).size).toBeGreaterThan(sizes[i]!));
  sizes.slice(0, -1).forEach((size, i) => {
    expect(size).toBeLessThanOrEqual(limit);
    const next = [...shapes].find(([key]) => map[key] === names[i + 1])!; // would not have fitted
    expect(size + each * next[1].reduce((a, b) => a * b, 1)).toBeGreaterThan(limit);
  });
  const read = loadModel(folder);
  for (const name of shapes.keys()) {
    expect(read.weights.get(name)!.arraySync()).toEqual(whole.weights.get(name)!.arraySync());
  }
  saveModel(folder, model);
  expect(files(folder)).toEqual(['model.safetensors']);
});

test('a tensor that is larger than a file may be has one of its own', () => {
  const folder = mkdtempSync(join(tmpdir(), 'sidlab-shards-'));
  saveModel(folder, model, undefined, undefined, { maxShardSize: 1e-9 });
  expect(files(folder)).toHaveLength(weightShapes(config).size + 1);
});
