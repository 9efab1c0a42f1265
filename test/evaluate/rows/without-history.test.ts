/** Lists without the items of the histories: in every baseline, in what stands beside a model, and in words. */
import { existsSync, mkdtempSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import fc from '../../fast-check.js';
import { baselineStage } from '../../../lib/baselines/baseline-stage.js';
import type { Baseline } from '../../../lib/baselines/baseline.js';
import type { BaselineName } from '../../../lib/baselines/baselines.js';
import { scoreBesideBaselines } from '../../../lib/baselines/rank-baselines.js';
import { compareStage } from '../../../lib/compare/compare-stage.js';
import { formatInter } from '../../../lib/data/inter-file.js';
import { formatItems } from '../../../lib/data/item-file.js';
import { useEngine } from '../../../lib/engine/engine.js';
import { writeIndex } from '../../../lib/data/sid-index.js';
import { readResults, writeResults } from '../../../lib/evaluate/results-file.js';
import { lengthWithHistory, withoutHistory } from '../../../lib/evaluate/rows/without-history.js';
import { repeatsWarning } from '../../../lib/evaluate/score/repeats-warning.js';
import { readJson, writeAtomic } from '../../../lib/files/files.js';

const ITEMS = 12;
/** Nobody buys the same thing again; histories are of one to four items. */
const rows = Array.from({ length: 30 }, (_, i) => {
  const history = Array.from({ length: 1 + (i % 4) }, (_one, at) => (i + 5 * at) % ITEMS);
  return { user: `U${i}`, history, target: (i + 3) % ITEMS };
}).filter(({ history, target }) => !history.includes(target));

function shop(train = rows): string {
  const data = mkdtempSync(join(tmpdir(), 'sidlab-without-'));
  const item = (i: number) => ({ title: `item ${i}`, description: '', brand: '', categories: '' });
  writeAtomic(join(data, 'Toys.item.json'), formatItems(Array.from({ length: ITEMS }, (_, i) => item(i))));
  for (const split of ['train', 'valid', 'test'])
    writeAtomic(join(data, `Toys.${split}.inter`), formatInter(split === 'train' ? train : rows));
  return data;
}

let data: string;
beforeAll(async () => {
  await useEngine();
  data = shop();
});

test('what is left keeps its order and its scores, and is long enough', () => {
  const list = fc.record({
    history: fc.array(fc.nat(9), { maxLength: 6 }),
    items: fc.shuffledSubarray(Array.from({ length: 20 }, (_, i) => i), { minLength: 20 }),
    topK: fc.integer({ min: 1, max: 9 }),
  }); // prettier-ignore
  fc.assert(
    fc.property(list, ({ history, items, topK }) => {
      const row = { user: 'U', history, target: 0 };
      const asked = items.slice(0, lengthWithHistory([row], topK));
      const [found] = withoutHistory([{ ...row, items: asked, scores: asked.map((item) => -item) }], topK);
      expect(found!.items).toEqual(items.filter((item) => !history.includes(item)).slice(0, topK));
      expect(found!.scores).toEqual(found!.items.map((item) => -item));
    }),
  );
});

test.each(['popularity', 'transition', 'item-knn', 'sasrec'] as const)(
  'of %s the same ranking without them, in a file of its own; nothing is trained for it',
  async (baseline: BaselineName) => {
    const small = baseline === 'sasrec' ? { epochs: 1, width: 4, blocks: 1, heads: 1 } : {};
    const all = await baselineStage({ baseline, data, topK: ITEMS, ...small });
    const card = join(data, 'runs', 'baseline-sasrec', 'card.json');
    const trained = existsSync(card) && statSync(card).mtimeMs;
    const left = await baselineStage({ baseline, data, topK: 5, excludeHistory: true, ...small });
    expect(left.results).toBe(join(data, 'runs', `baseline-${baseline}`, 'results-without-history.jsonl'));
    const lists = await readResults(left.results);
    const expected = (await readResults(all.results)).map(({ items, history }) =>
      items.filter((item) => !history.includes(item)).slice(0, 5),
    );
    expect(lists.map(({ items }) => items)).toEqual(expected);
    expect(left.item['HR@5']).toBeGreaterThan(0);
    expect(readJson<object>(left.results.replace('.jsonl', '.json'))).toMatchObject({ excludeHistory: true, baseline });
    expect(readJson<object>(all.results.replace('.jsonl', '.json'))).not.toHaveProperty('excludeHistory');
    expect(existsSync(card) && statSync(card).mtimeMs).toBe(trained);
  },
);

test('baselines beside results that leave the history out leave it out too', async () => {
  const { results } = await baselineStage({ baseline: 'item-knn', data, topK: 5, excludeHistory: true });
  const [own, kept] = await Promise.all(
    [true, undefined].map((excludeHistory) =>
      baselineStage({
        ...{ baseline: 'popularity', data, topK: 5, results: join(data, `popular-${excludeHistory}.jsonl`) },
        ...(excludeHistory && { excludeHistory }),
      }),
    ),
  );
  expect(own!.item['HR@5']).not.toBe(kept!.item['HR@5']); // or nothing below would be tested
  const { files } = await scoreBesideBaselines({ data, files: [results], k: [5] });
  expect(files[0]!.baselines!.popularity!['HR@5']!.mean).toBe(own!.item['HR@5']);
});

test('places that hold what nobody buys again are told; where somebody does, they are not', async () => {
  const again = { user: 'V', history: [1, 2], target: 1 };
  const lists = rows.map((row) => ({ ...row, items: [row.history[0]!, row.target], scores: [2, 1] }));
  for (const [train, told] of [
    [rows, 1],
    [[...rows, again], 0],
  ] as const) {
    const folder = shop([...train]);
    const file = join(folder, 'mine.jsonl');
    writeResults(file, lists);
    const { files } = await scoreBesideBaselines({ data: folder, files: [file], k: [1] });
    const warnings = (files[0]!.warnings ?? []).filter((line) => line.includes('--exclude-history'));
    expect(warnings).toHaveLength(told);
    if (told) expect(warnings[0]).toBe('50 % of the first 2 places hold items of the history, which no training row has as its target; --exclude-history ranks without them'); // prettier-ignore
  }
});

test('shares of nearly all are said in digits too', () => {
  const lists = { k: 10, repeats: 0.996, targetRepeats: 1 };
  const dataset = { train: rows } as Parameters<typeof repeatsWarning>[0];
  expect(repeatsWarning(dataset, lists, false)).toMatch(/^100 % of the first 10 places/);
  expect(repeatsWarning(dataset, lists, true)).toMatch(/^100 % of the targets/);
});

test("what is left out are the row's items, whatever history a baseline of one's own gives back", async () => {
  const baseline: Baseline = {
    name: 'forgetful',
    help: '',
    rank: (_train, test, { topK = 50 }) =>
      test.map((row) => ({
        ...row,
        history: [],
        items: Array.from({ length: ITEMS }, (_, i) => i).slice(0, topK),
        scores: Array.from({ length: ITEMS }, (_, i) => -i).slice(0, topK),
      })),
  };
  const { results } = await baselineStage({ baseline, data, topK: 5, excludeHistory: true });
  (await readResults(results)).forEach(({ items, history }, i) => {
    expect(history).toEqual(rows[i]!.history);
    expect(items).toHaveLength(5);
    expect(items.filter((item) => history.includes(item))).toEqual([]);
  });
});

test('one that leaves the history out while it searches is asked for no longer lists, as TIGER', async () => {
  const asked: unknown[] = [];
  const rank: Baseline['rank'] = (_train, test, options) => {
    asked.push(options);
    return test.map((row) => ({ ...row, items: [], scores: [] }));
  };
  const own = { name: 'searching', help: '', rank, excludesHistory: true } as const;
  for (const excludeHistory of [true, false]) await baselineStage({ baseline: own, data, topK: 5, excludeHistory });
  expect(asked).toEqual([{ topK: 5, excludeHistory: true }, { topK: 5 }]);

  const index = join(data, 'tiger.json');
  writeIndex(index, Array.from({ length: ITEMS }, (_, i) => [`<a_${i % 3}>`, `<b_${Math.floor(i / 3)}>`])); // prettier-ignore
  const small = { width: 8, layers: 1, heads: 1, headWidth: 8, feedForward: 8, epochs: 1, validRows: 5 };
  const tiger = { ...small, baseline: 'tiger', data, index, topK: 3 } as const;
  const { results } = await baselineStage({ ...tiger, excludeHistory: true });
  for (const { items, history } of await readResults(results)) {
    expect(items).toHaveLength(3);
    expect(items.filter((item) => history.includes(item))).toEqual([]);
  }
});

test('targets that are in their history cannot be found without it: that is told', async () => {
  const folder = shop();
  const again = { ...rows[0]!, target: rows[0]!.history[0]! };
  writeAtomic(join(folder, 'Toys.test.inter'), formatInter([again, ...rows.slice(1, 10)]));
  const { results } = await baselineStage({ baseline: 'popularity', data: folder, topK: 5, excludeHistory: true });
  const { files } = await scoreBesideBaselines({ data: folder, files: [results], k: [5] });
  expect(files[0]!.warnings).toContain('10 % of the targets are in their history, which --exclude-history never recommends'); // prettier-ignore
});

test('a comparison says which side leaves the history out', async () => {
  const files = await Promise.all(
    [true, false].map(async (excludeHistory) => {
      const results = join(data, `side-${excludeHistory}.jsonl`);
      return (await baselineStage({ baseline: 'transition', data, topK: 5, excludeHistory, results })).results;
    }),
  );
  const note = 'ranked without the items of the history: left; the others may recommend them';
  const names = ['left', 'kept'];
  expect((await compareStage({ files, names, data })).notes).toEqual([note]);
  expect((await compareStage({ files: [files[0]!, files[0]!], names, data })).notes).toBeUndefined();
  const both = { files: [files.join(), [files[1]!, files[1]!].join()], names, data };
  const mixed = 'some of whose runs are ranked without the items of the history: left; the others may recommend them';
  expect((await compareStage(both)).notes).toContain(mixed);
});
