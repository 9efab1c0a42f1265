/** Rows that are read when they are asked for, against the same rows in memory. */
import { mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, expect, test } from 'vitest';
import type { Row } from '../../../lib/data/dataset.js';
import { formatInter, INTER_HEADER, readInter } from '../../../lib/data/inter-file.js';
import { loadDataset } from '../../../lib/data/load.js';
import { rowsOnDisk } from '../../../lib/data/row-file.js';
import { Random } from '../../../lib/support/random.js';
import { wordTokenizer } from '../../../lib/lm/tokenizer/tokenizer.js';
import { createRenderer, promptContext } from '../../../lib/tasks/prompts.js';
import { parseTasks } from '../../../lib/tasks/task-mix.js';
import { TaskSet, type TaskSetOptions } from '../../../lib/tasks/task-set.js';
import { TEMPLATES } from '../../../lib/tasks/templates.js';
import { parseWeights } from '../../../lib/tasks/weights/weight-factors.js';
import { rowWeights } from '../../../lib/tasks/weights/row-weights.js';
import fc from '../../fast-check.js';
import { datasetOf, indexOf } from '../../tasks/small-dataset.js';

const dir = mkdtempSync(join(tmpdir(), 'sidlab-rows-'));
const path = join(dir, 'x.train.inter');
afterAll(() => rmSync(dir, { recursive: true }));

const copies = (rows: readonly Row[]): Row[] => rows.map(({ user, history, target }) => ({ user, history, target }));

test('the rows of the file, in any order, however its lines end and however long they are', async () => {
  const item = fc.integer({ min: 0, max: 999 });
  const row = fc.record({
    user: fc.constantFrom('u', 'é\u2028', 'someone with a long name', ''),
    history: fc.oneof(
      fc.array(item, { minLength: 1, maxLength: 4 }),
      fc.constantFrom(Array<number>(9000).fill(999), Array<number>(1020).fill(123)), // longer than a block; about one
    ),
    target: item,
  });
  const end = fc.constantFrom('\n', '\r\n', '\n\n', '\r\n\r\n');
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.tuple(row, end), { maxLength: 12 }),
      fc.boolean(),
      fc.nat(),
      async (lines, cut, seed) => {
        const text = lines.map(([of, ending]) => formatInter([of]).split('\n')[1]! + ending).join('');
        writeFileSync(path, `${INTER_HEADER}\n${cut ? text.trimEnd() : text}`);
        const rows = rowsOnDisk(path, 1000);
        expect(copies(rows)).toEqual(await readInter(path, 1000));
        for (const i of new Random(seed).shuffle([...rows.keys()])) {
          expect([rows[i]!.target, rows[i]!.user, rows[i]!.history]).toEqual([
            ...[lines[i]![0].target, lines[i]![0].user, lines[i]![0].history],
          ]);
        }
      },
    ),
    { numRuns: 25 },
  );
});

test('the same errors, before any row is asked for; and one where the file became another', async () => {
  for (const content of ['', `${INTER_HEADER}\nu\t0\n`, 'u\t0\t1\n', `${INTER_HEADER}\nu\t0\t1\n\nu\t0\t7\n`]) {
    writeFileSync(path, content);
    const message = await readInter(path, 3).catch((error: Error) => error.message);
    expect(() => rowsOnDisk(path, 3)).toThrow(message as string);
  }
  writeFileSync(path, Buffer.concat([Buffer.from(`${INTER_HEADER}\n`), Uint8Array.of(0xff, 9, 48, 9, 48, 10)]));
  expect(() => rowsOnDisk(path, 3)).toThrow(/x\.train\.inter:2: /);
  writeFileSync(
    path,
    formatInter(Array.from({ length: 4000 }, (_, i) => ({ user: `u${i}`, history: [0, 1], target: 2 }))),
  );
  const rows = rowsOnDisk(path, 3);
  truncateSync(path, 100);
  expect(() => rows[3999]!.target).toThrow(/x\.train\.inter:4001: expected 3 fields between tabs/);
});

test('a large file of training rows is read so where the caller asks for it', async () => {
  const { items, train } = datasetOf(6, 40);
  writeFileSync(join(dir, 'x.item.json'), JSON.stringify(Object.fromEntries(items.entries())));
  for (const split of ['train', 'valid', 'test']) writeFileSync(join(dir, `x.${split}.inter`), formatInter(train));
  const isPlain = async (rowsInMemory?: number): Promise<boolean[]> => {
    const loaded = await loadDataset(dir, 'x', rowsInMemory === undefined ? {} : { rowsInMemory });
    expect(copies(loaded.train)).toEqual(train);
    return (['train', 'valid', 'test'] as const).map((split) => Object.hasOwn(loaded[split][0]!, 'user'));
  };
  const bytes = formatInter(train).length;
  expect(await isPlain()).toEqual([true, true, true]);
  expect(await isPlain(bytes)).toEqual([true, true, true]);
  expect(await isPlain(bytes - 1)).toEqual([false, true, true]);
  writeFileSync(join(dir, 'x.train.inter'), gzipSync(formatInter(train))); // has no places in it
  expect(await isPlain(1)).toEqual([true, true, true]);
});

const ITEMS = 12;
const weights = rowWeights(parseWeights('balanced:0.5'), { rows: datasetOf(ITEMS, 60).train, items: ITEMS });

test.each([
  ['seqrec', 'row', {}],
  ['seqrec', 'row', { cutHistories: 0.7, cutLength: 1, keptTokens: 0 }],
  ['sids', 'chain', { cutHistories: 0.7, weights }],
  ['seqrec', 'row', { weights, weighting: 'draw' }],
  ['sids', 'row', { weights, cold: [{ user: 'c', history: [3, 4], target: 5 }] }],
] as [string, 'row' | 'chain', Partial<TaskSetOptions>][])('examples of %s by %s, %j', (tasks, mode, options) => {
  const random = new Random(3);
  const train = Array.from({ length: 60 }, (_, i): Row => {
    const history = Array.from({ length: 1 + random.int(4) }, () => random.int(ITEMS));
    return { user: `u${i % 9}`, history, target: random.int(ITEMS) };
  });
  writeFileSync(path, formatInter(train));
  const examples = (rows: Row[]): unknown[] => {
    const dataset = { ...datasetOf(ITEMS, 1), train: rows };
    const context = promptContext(indexOf(ITEMS), dataset.items);
    const set = new TaskSet(dataset, parseTasks(tasks, TEMPLATES, mode), context, { seed: 1, ...options });
    const tokenizer = wordTokenizer(['thing'], indexOf(ITEMS));
    const { items } = dataset;
    const renderers = set.parts.map(({ template }) => createRenderer(template, indexOf(ITEMS), tokenizer, { items }));
    const all = [0, 1].flatMap((epoch) => set.examples(epoch));
    return [set.counts(), ...all.map((reference) => set.example(reference, renderers))];
  };
  expect(examples(rowsOnDisk(path, ITEMS))).toEqual(examples(train));
});
