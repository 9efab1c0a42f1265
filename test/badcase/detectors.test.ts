/** Detectors: the kit's list, one of your own in a cell, and one whose needs are not met. */
import { existsSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { badCaseReport } from '../../lib/badcase/bad-case-report.js';
import { badCases } from '../../lib/badcase/bad-cases.js';
import { DETECTOR_OPTIONS, optionsOfDetectors } from '../../lib/badcase/badcase-options.js';
import { type AnyDetector, defineDetector, type Detector, NEED_FLAGS, type Need } from '../../lib/badcase/detector.js';
import { DETECTORS } from '../../lib/badcase/detectors.js';
import type { Dataset, Row } from '../../lib/data/dataset.js';
import { formatInter } from '../../lib/data/inter-file.js';
import { formatItems } from '../../lib/data/item-file.js';
import { type SidIndex, writeIndex } from '../../lib/data/sid-index.js';
import type { Recommender } from '../../lib/evaluate/recommender.js';
import { type Result, writeResults } from '../../lib/evaluate/results-file.js';
import { writeNpy } from '../../lib/files/npy.js';
import { flagsOf } from '../../lib/options/flags.js';
import { integer } from '../../lib/options/kinds.js';
import { BADCASE_OPTIONS } from '../../lib/badcase/badcase-options.js';
import { STAGE_SCHEMAS } from '../../lib/pipeline/pipeline-options.js';

const items = [0, 1, 2, 3].map((i) => ({ title: `item ${i}`, description: '', brand: '', categories: '' }));
const train: Row[] = [{ user: 'u', history: [0, 1], target: 0 }];
const dataset: Dataset = { name: 'Toys', dir: '', items, train, valid: [], test: [] };
const results: Result[] = [
  { user: 'a', history: [0, 1], target: 1, items: [1, 0], scores: [0, -1] },
  { user: 'b', history: [3], target: 3, items: [0], scores: [0] },
  { user: 'c', history: [2, 0, 1], target: 2, items: [0, 2], scores: [0, -1] },
];
const index: SidIndex = [0, 0, 1, 1].map((a, i) => [`<a_${a}>`, `<b_${i}>`]);
const vectors = { rows: 4, width: 1, data: Float32Array.of(0, 1, 2, 3) };

const repeat = defineDetector({
  name: 'repeat',
  help: 'the target was bought before',
  needs: [],
  detect:
    () =>
    ({ history, target }) =>
      history.includes(target),
});
const siblings: Detector<'index'> = {
  name: 'same first code',
  help: 'the best item shares the first code of the target',
  needs: ['index'],
  detect: ({ index }) => ({ items, target }) => items[0] !== target && index[items[0]!]![0] === index[target]![0], // prettier-ignore
};

describe('the list', () => {
  test('every detector: a name of its own, help, known needs; its options are options of badcase and of the pipeline', () => {
    const list: readonly AnyDetector[] = DETECTORS;
    const kinds = list.map(({ kind = 'cause' }) => kind);
    expect(kinds.indexOf('symptom')).toBe(kinds.lastIndexOf('cause') + 1); // causes come first
    for (const { help, needs, options = {} } of list) {
      expect(help).not.toBe('');
      for (const need of needs) expect(NEED_FLAGS[need]).not.toBe('');
      for (const [name, option] of Object.entries(options)) {
        for (const known of [DETECTOR_OPTIONS, BADCASE_OPTIONS.options, STAGE_SCHEMAS.badcase.options]) {
          expect((known as Record<string, unknown>)[name]).toBe(option);
        }
      }
    }
    expect(Object.keys(DETECTOR_OPTIONS).slice(0, 4)).toEqual(['topK', 'coldBelow', 'tailShare', 'shortHistory']);
  });

  test('the flag of a need is one that badcase has', () => {
    const flags = [...flagsOf(BADCASE_OPTIONS.options).keys()].map((flag) => `--${flag}`);
    for (const need of ['rows', 'index', 'vectors', 'model'] as const) {
      expect(flags).toContain(NEED_FLAGS[need].split(' ')[0]);
    }
    expect(flags).not.toContain('--detectors'); // objects with functions: for a notebook
  });

  test('two detectors that declare one option are refused', () => {
    const twice = { ...repeat, name: 'twice', options: { coldBelow: integer('x', { default: 3 }) } };
    expect(() => optionsOfDetectors([...DETECTORS, twice])).toThrow(
      'badcase: cold start and twice both declare an option coldBelow; rename one of them',
    );
    const k = { ...repeat, options: { topK: integer('x', { default: 3 }) } };
    expect(() => badCases(results, dataset, { detectors: [k] })).toThrow('badcase and repeat both declare');
  });
});

describe('one of your own', () => {
  test('beside the kit’s, which keep their numbers', () => {
    const mine = badCases(results, dataset, { topK: 1, detectors: [...DETECTORS, repeat] });
    const { repeat: own, ...others } = mine.modes;
    expect(own).toMatchObject({ rows: 3, count: 2, share: 1, foundShare: 1, lift: null });
    const alone = badCases(results, dataset, { topK: 1 }).modes;
    for (const [name, { rows, count, lift }] of Object.entries(others)) {
      expect(alone[name]).toMatchObject({ rows, count, lift });
    }
    expect(mine.cases.map(({ modes }) => modes.includes('repeat'))).toEqual([true, true]);
    expect(mine.notRun.map(({ name }) => name)).not.toContain('repeat');
  });

  test('its context: counts, ranks, k, inputs, its options with defaults', () => {
    const seen: unknown[] = [];
    const spy = defineDetector({
      name: 'spy',
      help: 'looks',
      needs: ['rows', 'texts', 'index', 'vectors', 'model'],
      options: { bound: integer('a bound', { default: 7 }) },
      detect: (context) => {
        seen.push(context);
        return ({ row, rank }) => [1, 0, 2][row] === rank;
      },
    });
    const model = { trie: {} } as Recommender;
    const options = { detectors: [spy], index, vectors, model, topK: 1 };
    expect(badCases(results, dataset, options).modes.spy!.rows).toBe(3);
    expect(seen).toEqual([
      expect.objectContaining({
        ...{ results, dataset, ranks: [1, 0, 2], topK: 1, options: { bound: 7 } },
        ...{
          rows: train,
          texts: items,
          index,
          vectors,
          model: { ...model, listsFor: expect.any(Function) as unknown },
        },
      }),
    ]);
    expect((seen[0] as { counts: { items: Map<number, number> } }).counts.items.get(0)).toBe(2);
    badCases(results, dataset, { ...options, bound: 9 } as typeof options);
    expect(seen[1]).toMatchObject({ options: { bound: 9 } });
    expect(() => badCases(results, dataset, { ...options, bound: 0 } as typeof options)).toThrow(
      'badcase: expected bound to be a whole number of 1 or more, got 0',
    );
    expect(() => badCases(results, dataset, { ...options, coldBelow: 2 })).toThrow('unknown option coldBelow');
  });

  test.each([
    ['no list', 3],
    ['no detect', [{ name: 'x', help: '', needs: [] }]],
    ['no name', [{ ...repeat, name: '' }]],
    ['an unknown need', [{ ...repeat, needs: ['luck'] }]],
    ['a name twice', [repeat, repeat]],
    ['nothing', [null]],
  ])('%s is refused in one line', (_, detectors) => {
    expect(() => badCases(results, dataset, { detectors: detectors as never })).toThrow(
      /^badcase: expected detectors to be detectors, each \{name, help, needs, detect\}, every name once, got .*$/,
    );
  });

  test('an answer that is neither true nor false', () => {
    const vague = { ...repeat, detect: () => () => undefined as never };
    expect(() => badCases(results, dataset, { detectors: [vague] })).toThrow(
      'badcase: detector repeat: expected true or false of result 1, got undefined; mend the detector',
    );
  });
});

describe('needs', () => {
  const bare: Dataset = { ...dataset, train: [], items: items.map((item) => ({ ...item, title: '' })) };
  const given = { index, vectors, model: {} as Recommender };
  test.each(Object.keys(NEED_FLAGS) as Need[])('%s: not met, not run, with its flag; met, run', (need) => {
    const one: AnyDetector = { ...repeat, needs: [need] };
    const without = badCases(results, bare, { detectors: [one, { ...repeat, name: 'other' }] });
    expect(without.notRun).toEqual([{ name: 'repeat', needs: [need], flag: NEED_FLAGS[need] }]);
    expect(Object.keys(without.modes)).toEqual(['other']);
    const scored = results.map((result) => ({ ...result, targetLogProbs: [-1] }));
    const met = badCases(scored, dataset, { detectors: [one], ...given });
    expect([met.notRun, Object.keys(met.modes)]).toEqual([[], ['repeat']]);
  });

  test('several at once', () => {
    const { notRun } = badCases(results, dataset, { detectors: [{ ...repeat, needs: ['rows', 'index', 'model'] }] });
    expect(notRun).toEqual([{ name: 'repeat', needs: ['index', 'model'], flag: '--index FILE, --model FOLDER' }]);
  });

  test('an index or vectors of other items are refused', () => {
    expect(() => badCases(results, dataset, { index: index.slice(1) })).toThrow(
      'badcase: expected an index of 4 items, got 3; take those of the same data',
    );
    expect(() => badCases(results, dataset, { vectors: { ...vectors, rows: 2 } })).toThrow(
      'badcase: expected vectors of 4 items, got 2; take those of the same data',
    );
  });
});

test('the stage: own detectors, the index of the data folder, what was not run', async () => {
  const data = mkdtempSync(join(tmpdir(), 'detectors-'));
  writeFileSync(join(data, 'Toys.item.json'), formatItems(items));
  for (const split of ['train', 'valid', 'test']) {
    writeFileSync(join(data, `Toys.${split}.inter`), formatInter(split === 'train' ? train : []));
  }
  const file = join(data, 'run', 'results.jsonl');
  writeResults(file, results);
  const far = defineDetector({
    name: 'far',
    help: 'the best item is far from the target',
    needs: ['vectors'],
    detect:
      ({ vectors: { data } }) =>
      ({ items, target }) =>
        Math.abs(data[items[0]!]! - data[target]!) > 1,
  });
  const detectors = [...DETECTORS, siblings, far];
  const first = await badCaseReport({ data, results: file, detectors });
  expect(first.notRun).toEqual(
    expect.arrayContaining([
      { name: 'same first code', needs: ['index'], flag: '--index FILE' },
      { name: 'far', needs: ['vectors'], flag: '--embeddings FILE' },
    ]),
  );
  expect(JSON.parse(readFileSync(first.report, 'utf8'))).toMatchObject({
    modes: first.modes,
    notRun: { 'same first code': 'needs --index FILE', far: 'needs --embeddings FILE' },
  });
  writeIndex(join(data, 'Toys.index.json'), index);
  const embeddings = join(data, 'Toys.emb-mine.npy');
  writeNpy(embeddings, vectors);
  const second = await badCaseReport({ data, results: file, detectors, embeddings });
  expect(second.notRun.map(({ name }) => name)).toEqual(['recency ignored', 'search error']);
  expect(second.modes['same first code']).toMatchObject({ rows: 0 });
  expect(second.modes.far).toMatchObject({ rows: 2, count: 1 });
  const out = join(data, 'none');
  await expect(badCaseReport({ data, results: file, out, model: join(data, 'm') })).rejects.toThrow('no such file');
  expect(existsSync(out)).toBe(false);
});
