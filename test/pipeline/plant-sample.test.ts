/** A fault in a sample, ready to train on: the folders that are trained on and asked. */
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { DETECTORS } from '../../lib/badcase/detectors.js';
import { FAULTS, type Shop } from '../../lib/badcase/plant/faults.js';
import { loadShop } from '../../lib/badcase/plant/shop-files.js';
import { loadDataset } from '../../lib/data/load.js';
import { useEngine } from '../../lib/engine/engine.js';
import { plantSample } from '../../lib/pipeline/plant-sample.js';

const out = mkdtempSync(join(tmpdir(), 'sidlab-plant-'));
let shop: Shop;

beforeAll(async () => {
  await useEngine();
  const report = await plantSample({ out, size: 'tiny', seed: 3, plant: 'old-rows' });
  expect(report).toMatchObject({ fault: 'old-rows', cause: 'drift', data: join(out, 'planted'), train: join(out, 'planted/trained') }); // prettier-ignore
  shop = await loadShop(out, join(out, 'shop.index.json'));
});
afterAll(() => rmSync(out, { recursive: true }));

test('old rows: trained on the first half, evaluated beside all of them', async () => {
  const [trained, all] = [await loadDataset(join(out, 'planted/trained')), await loadDataset(join(out, 'planted'))];
  expect(trained.train.length).toBeLessThan(shop.dataset.train.length / 2);
  expect(all.train.slice(0, trained.train.length)).toEqual(trained.train);
  expect(all.train.slice(trained.train.length)).toEqual(shop.dataset.train.slice(Math.floor(shop.dataset.train.length / 2))); // prettier-ignore
  expect(existsSync(join(out, 'shop.emb-lsa.npy'))).toBe(true);
});

test('a fault of the questions is asked of a model of the sample without it; one of lists cannot be written', async () => {
  const report = await plantSample({ out, size: 'tiny', seed: 3, plant: 'one-item-users' });
  expect(report).toMatchObject({ train: out, data: join(out, 'planted') });
  const { test: asked, train } = await loadDataset(report.data);
  expect(train).toEqual(shop.dataset.train);
  const short = asked.filter(({ history }, i) => history.length === 1 && shop.dataset.test[i]!.history.length > 1);
  const long = shop.dataset.test.filter(({ history }) => history.length > 1).length;
  expect(short.length).toBeGreaterThan(0.3 * long);
  expect(short.length).toBeLessThan(0.7 * long);
  await expect(plantSample({ out, plant: 'popularity-pushed' })).rejects.toThrow(
    'is planted into lists, not into data',
  );
  await expect(plantSample({ out, plant: 'bad luck' })).rejects.toThrow(/expected --plant to be one of control, cold-start/); // prettier-ignore
});

test.each(Object.keys(FAULTS))('%s: its cause is a detector, and the shop that is given stays', (name) => {
  const { cause, plant } = FAULTS[name]!;
  expect(cause === null || DETECTORS.some((detector) => detector.name === cause)).toBe(true);
  const before = JSON.stringify(shop);
  plant(shop, 1);
  expect(JSON.stringify(shop)).toBe(before);
});
