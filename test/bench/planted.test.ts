/**
 * Planted faults in their quick form: what each fault does to a shop, and that the analysis names its cause, with counted
 * transitions in place of a trained model. The full one is `npm run bench -- planted-faults`.
 */
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { FAULTS, type PlantedShop, type Shop } from '../../lib/badcase/plant/faults.js';
import { plantedRows } from '../../bench/planted/planted-faults.js';
import { badCases } from '../../lib/badcase/bad-cases.js';
import { transition } from '../../lib/baselines/transition.js';
import { filterStage } from '../../lib/data/filter/filter-stage.js';
import { loadDataset } from '../../lib/data/load.js';
import { writeSample } from '../../lib/data/sample/sample.js';
import { sidTokens } from '../../lib/data/sid-index.js';

let shop: Shop;
const plant = (name: string, seed = 1): PlantedShop => FAULTS[name]!.plant(shop, seed);

beforeAll(async () => {
  const out = mkdtempSync(join(tmpdir(), 'planted-'));
  const { reviews, meta } = writeSample({ out, size: 'small', seed: 1 });
  await filterStage({ reviews, meta, out, dataset: 'shop' });
  const dataset = await loadDataset(out, 'shop');
  shop = { dataset, index: dataset.items.map((_, item) => sidTokens([Math.floor(item / 40), item % 40])) };
});

describe('what is planted', () => {
  test('nothing into the control', () => expect(plant('control')).toBe(shop));

  test('the same seed plants the same, another one something else', () => {
    for (const name of Object.keys(FAULTS).filter((one) => one !== 'control')) {
      const text = (seed: number): string => {
        const { rerank, ...planted } = plant(name, seed);
        const lists = rerank?.(shop.dataset.test.map((row) => ({ ...row, items: [0, 1, 2], scores: [0, -1, -2] })));
        return JSON.stringify([planted, lists]);
      };
      expect(text(1), name).toBe(text(1));
      expect(text(1) === text(2), name).toBe(false);
    }
  });

  test('cold start: a third of the items leaves no trace in training', () => {
    const { train } = plant('cold-start').dataset;
    const seen = new Set(train.flatMap(({ history, target }) => [...history, target]));
    expect(seen.size).toBeLessThan(0.7 * shop.dataset.items.length);
    expect(train.every(({ history }) => history.length > 0)).toBe(true);
  });

  test('histories are dealt, none is lost, and half of the rows keep theirs', () => {
    const { test: rows } = plant('dealt-histories').dataset;
    const sorted = (of: typeof rows): string[] => of.map(({ history }) => history.join()).sort();
    expect(sorted(rows)).toEqual(sorted(shop.dataset.test));
    const same = rows.filter((row, i) => row.history === shop.dataset.test[i]!.history).length;
    expect(same / rows.length).toBeCloseTo(0.5, 1);
  });

  test('one item is left of half of the histories: the last', () => {
    const { test: rows } = plant('one-item-users').dataset;
    const cut = rows.filter((row, i) => row !== shop.dataset.test[i]);
    expect(cut.length / rows.length).toBeCloseTo(0.5, 1);
    rows.forEach((row, i) => expect(row.history.at(-1)).toBe(shop.dataset.test[i]!.history.at(-1)));
    expect(cut.every(({ history }) => history.length === 1)).toBe(true);
  });

  test('SIDs: one a department, or of one first code, each in two fifths of the items or a little more', () => {
    const owners = new Map<string, number>();
    const one = plant('shared-sids');
    expect(one.evaluated).toEqual({ sharedSids: 'split' });
    const department = ({ categories }: { categories: string }): string => categories.split(', ')[1] ?? categories;
    one.index.forEach((sid, item) => {
      const first = one.index.findIndex((other) => other.join('') === sid.join(''));
      expect(department(shop.dataset.items[item]!)).toBe(department(shop.dataset.items[first]!));
    });
    for (const sid of one.index) owners.set(sid.join(''), (owners.get(sid.join('')) ?? 0) + 1);
    const groups = [...owners.values()].filter((count) => count > 1);
    const shared = groups.reduce((sum, count) => sum + count, 0) / shop.dataset.items.length;
    const { index } = plant('collapsed-codebook');
    expect(new Set(index.map((sid) => sid.join(''))).size).toBe(index.length);
    const crowded = index.filter(([first]) => first === '<a_500>').length / index.length;
    for (const share of [shared, crowded]) {
      expect(share).toBeGreaterThan(0.35);
      expect(share).toBeLessThan(0.55);
    }
  });

  test('drift: the model sees the first half, without what came later', () => {
    const { dataset, trainedOn } = plant('old-rows');
    const half = Math.floor(shop.dataset.train.length / 2);
    expect(dataset.train.slice(0, trainedOn!.length)).toEqual(trainedOn);
    expect(dataset.train.slice(trainedOn!.length)).toEqual(shop.dataset.train.slice(half));
    expect(trainedOn!.length).toBeLessThan(0.75 * half);
  });

  test('popularity: half of the lists in another order, with the same items', () => {
    const lists = shop.dataset.test.map((row) => ({ ...row, items: [3, 2, 1, 0], scores: [0, 0, 0, 0] }));
    const pushed = plant('popularity-pushed').rerank!(lists);
    const changed = pushed.filter((result, i) => result !== lists[i]);
    expect(changed.length / lists.length).toBeCloseTo(0.5, 1);
    for (const { items, scores } of changed) {
      expect([...items].sort()).toEqual([0, 1, 2, 3]);
      expect(scores).toEqual([...scores].sort((a, b) => b - a));
    }
  });
});

describe('what is found', () => {
  /** Causes named of a shop whose lists are counted transitions. */
  const namedIn = (name: string): string[] => {
    const { dataset, index, rerank, trainedOn } = plant(name);
    const lists = transition(trainedOn ?? dataset.train, dataset.test);
    return badCases(rerank ? rerank(lists) : lists, dataset, { index }).named;
  };

  test('no cause in the control', () => expect(namedIn('control')).toEqual([]));

  test.each(['cold-start', 'dealt-histories'])('%s: its cause comes first', (name) => {
    expect(namedIn(name)[0]).toBe(FAULTS[name]!.cause);
  });
});

test('rows of the benchmark: how often the cause was first, of all, and of the control', () => {
  const finding = (fault: string, seed: number, named: string[]) => ({ fault, seed, named, failed: 0.7 });
  const rows = plantedRows([
    ...[1, 2, 3].map((seed) =>
      finding('cold-start', seed, seed < 3 ? ['cold start', 'drift'] : ['drift', 'cold start']),
    ),
    finding('old-rows', 1, []),
    finding('control', 1, ['drift']),
  ]);
  const row = (name: string) => rows.find((one) => one.name.startsWith(name))!;
  expect(row('cold-start')).toMatchObject({ ours: 2, peer: 3, reached: false, note: 'seed 3: drift, cold start' });
  expect(row('old-rows')).toMatchObject({ ours: 0, peer: 1, note: 'seed 1: none' });
  expect(row('all faults')).toMatchObject({ ours: 2, peer: 4, ratio: 0.5, reached: false });
  expect(row('control')).toMatchObject({ ours: 1, peer: 1, reached: false });
  expect(row('shared-sids')).toMatchObject({ peer: 0, reached: false });
});
