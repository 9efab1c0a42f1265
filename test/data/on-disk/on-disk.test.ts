/** What is done on disk, where memory does not hold it, against what is done in memory. */
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, afterEach, expect, test } from 'vitest';
import { kCore } from '../../../lib/data/filter/k-core.js';
import { SPLIT_RULES } from '../../../lib/data/filter/filter-options.js';
import { filterStage } from '../../../lib/data/filter/filter-stage.js';
import { coreOnDisk, isKept, type Side } from '../../../lib/data/filter/on-disk/core.js';
import { RecordFile } from '../../../lib/data/filter/on-disk/record-file.js';
import { sortedByTime } from '../../../lib/data/filter/on-disk/sort-by-time.js';
import { SpillingItems } from '../../../lib/data/filter/on-disk/stored-items.js';
import { blocksInMemory } from '../../../lib/data/filter/select.js';
import { interPieces } from '../../../lib/data/filter/user-files.js';
import { INTER_HEADER, interRows, readInter } from '../../../lib/data/inter-file.js';
import { IdTable } from '../../../lib/data/raw/id-table.js';
import { linesInPieces } from '../../../lib/files/line-pieces.js';
import { Scratch } from '../../../lib/files/scratch.js';
import { Random } from '../../../lib/support/random.js';
import fc from '../../fast-check.js';

const dir = mkdtempSync(join(tmpdir(), 'sidlab-'));
const scratch = new Scratch(join(dir, 'scratch'));
afterEach(() => scratch.close());
afterAll(() => rmSync(dir, { recursive: true }));

type Triple = [time: number, user: number, item: number];

function fileOf(records: Iterable<Triple>): RecordFile {
  const file = new RecordFile(scratch);
  for (const record of records) file.push(...record);
  return file;
}

function* triplesOf(blocks: ReturnType<RecordFile['blocks']>): Generator<Triple> {
  for (const { length, times, words } of blocks) {
    for (let i = 0; i < length; i++) yield [times[2 * i]!, words[4 * i + 2]!, words[4 * i + 3]!];
  }
}

/** Every file of a folder, by name, or why the stage refused. */
async function filesOf(folder: string, work: () => Promise<unknown>): Promise<unknown> {
  try {
    await work();
  } catch (error) {
    return (error as Error).message;
  }
  return Object.fromEntries(readdirSync(folder).map((name) => [name, readFileSync(join(folder, name), 'utf8')]));
}

test('filter writes the same bytes, and refuses in the same words, however little is held in memory', async () => {
  const [reviewsFile, meta] = [join(dir, 'r.jsonl'), join(dir, 'm.jsonl')];
  const items = Array.from({ length: 12 }, (_, i) => ({
    asin: `I${i % 11}`, // the last one comes again
    title: i === 4 ? '' : i === 7 ? '<b>x</b>' : `Title &amp; é ${i}`,
    description: i % 3 === 0 ? '<p>text</p>' : `a\u2028b "${i}"`,
  }));
  writeFileSync(meta, items.map((item) => JSON.stringify(item) + '\n').join(''));
  const review = fc.record({
    reviewerID: fc.nat(6).map((n) => `U${n}é`),
    asin: fc.nat(12).map((n) => `I${n}`),
    unixReviewTime: fc.integer({ min: -5, max: 5 }).map((day) => 86400 * 90 * day),
  });
  const options = fc.record({
    userK: fc.integer({ min: 1, max: 3 }),
    itemK: fc.integer({ min: 0, max: 3 }),
    window: fc.integer({ min: 1, max: 12 }),
    split: fc.constantFrom(...SPLIT_RULES),
    from: fc.constantFrom('any', '1969-10', '1970-02'),
    to: fc.constantFrom('any', '1970-05'),
    minItems: fc.constantFrom(0, 0, 4),
  });
  const reviews = fc.array(review, { minLength: 1, maxLength: 60 });
  await fc.assert(
    fc.asyncProperty(
      reviews,
      options,
      fc.constantFrom(1, 7, 21, 40),
      async (lines, { minItems, ...rest }, spillRows) => {
        writeFileSync(reviewsFile, lines.map((line) => JSON.stringify(line) + '\n').join(''));
        const rules = { ...rest, ...(minItems > 0 && rest.from !== 'any' && { minItems }) };
        const stage = (name: string, rows?: number): Promise<unknown> => {
          const out = join(dir, name);
          rmSync(out, { recursive: true, force: true });
          const spill = rows === undefined ? {} : { spillRows: rows };
          return filesOf(out, () => filterStage({ reviews: reviewsFile, meta, out, dataset: 'S', ...rules, ...spill }));
        };
        expect(await stage('disk', spillRows)).toEqual(await stage('memory'));
      },
    ),
    { numRuns: 100 },
  );
});

test('without metadata and without times too', async () => {
  const [reviews, untimed] = [join(dir, 'r.csv'), join(dir, 'u.inter.json')];
  const random = new Random('untimed');
  const pairs = Array.from({ length: 60 }, () => [`u${random.int(5)}`, `${random.int(6)}`] as const);
  writeFileSync(reviews, `user,item,time\n${pairs.map((pair, i) => `${pair.join()},${i}`).join('\n')}\n`);
  const lists = Object.fromEntries(['a', 'b', 'c'].map((user) => [user, [1, 2, 3, 2, 1]]));
  writeFileSync(untimed, JSON.stringify(lists));
  for (const path of [reviews, untimed]) {
    const stage = (name: string, spillRows: number) =>
      filesOf(join(dir, name), () =>
        filterStage({
          reviews: path,
          out: join(dir, name),
          dataset: 'S',
          userK: 2,
          itemK: 2,
          split: 'leave-one-out',
          spillRows,
        }),
      );
    const [disk, memory] = [await stage('d', 3), await stage('m', 1000)];
    expect(disk).toEqual(memory);
    expect(Object.keys(memory as object)).toContain('S.train.inter');
  }
});

test('review texts are refused where interactions are not in memory, before anything is written', async () => {
  const [reviews, out] = [join(dir, 'two.jsonl'), join(dir, 'refused')];
  const line = (asin: string) => JSON.stringify({ reviewerID: 'U', asin, unixReviewTime: 1e9, reviewText: 'good' });
  writeFileSync(reviews, `${line('A')}\n${line('B')}\n`);
  const options = { reviews, out, dataset: 'S', userK: 1, itemK: 1, reviewTexts: true };
  await expect(filterStage({ ...options, spillRows: 1 })).rejects.toThrow('or raise --spill-rows');
  expect(existsSync(join(out, 'S.item.json'))).toBe(false);
  await filterStage(options);
  expect(readFileSync(join(out, 'S.review.json'), 'utf8')).toContain('good');
});

test('records sorted by time in parts: the order of a stable sort', () => {
  const time = fc.oneof(fc.integer({ min: -3, max: 3 }), fc.double({ noNaN: true, min: -1e19, max: 1e19 }));
  fc.assert(
    fc.property(fc.array(time, { maxLength: 60 }), fc.integer({ min: 1, max: 9 }), (times, inMemory) => {
      const records = times.map((value, i): Triple => [value + 0, i, 2 * i]);
      const sorted = [...triplesOf(sortedByTime(fileOf(records), scratch, inMemory))];
      expect(sorted).toEqual([...records].sort((a, b) => a[0] - b[0] || a[1] - b[1]));
    }),
    { numRuns: 150 },
  );
});

test('files of several blocks are read as they were written', () => {
  const random = new Random('blocks');
  const records = Array.from({ length: 150_000 }, (_, i): Triple => [random.int(50), i, random.int(9)]);
  const sorted = [...triplesOf(sortedByTime(fileOf(records), scratch, 40_000))];
  expect(sorted).toEqual(records.sort((a, b) => a[0] - b[0] || a[1] - b[1]));
});

test('the core on disk is the core in memory', () => {
  const edge = fc.tuple(fc.nat(7), fc.nat(7));
  const k = fc.integer({ min: 1, max: 4 });
  fc.assert(
    fc.property(fc.array(edge, { maxLength: 50 }), k, k, (edges, userK, itemK) => {
      const plain = kCore(edges.map(([user]) => user), edges.map(([, item]) => item), userK, itemK); // prettier-ignore
      const side = (end: 0 | 1, least: number): Side => ({ degree: degrees(edges, end), k: least });
      const [users, items] = [side(0, userK), side(1, itemK)];
      const { file, length } = coreOnDisk(fileOf(edges.map(([u, i], e) => [e, u, i])), users, items, scratch);
      const kept = [...triplesOf(file.blocks())].filter(([, user, item]) => isKept(user, item, users, items));
      expect(kept.map(([e]) => e)).toEqual(edges.flatMap((_, e) => (plain.kept[e] === 1 ? [e] : [])));
      expect(length).toBe(kept.length);
    }),
    { numRuns: 200 },
  );
});

function degrees(edges: readonly (readonly [number, number])[], end: 0 | 1): Int32Array {
  const counts = new Int32Array(8);
  for (const edge of edges) counts[edge[end]]!++;
  return counts;
}

test('lists by user are made in as many passes as memory asks for', () => {
  const random = new Random('lists');
  const users = Int32Array.from({ length: 200 }, () => random.int(12));
  const items = Int32Array.from({ length: 200 }, () => random.int(40));
  const selection = { blocks: () => blocksInMemory(users, items, () => 0), userOf: new Int32Array(12) };
  const whole = [...interPieces(selection)].join('');
  for (const atOnce of [1, 20, 45, 199]) expect([...interPieces(selection, atOnce)].join('')).toBe(whole);
});

test('items on disk come back as they went, whatever their texts hold', () => {
  const items = new SpillingItems(scratch, 2);
  const all = Array.from({ length: 3000 }, (_, i) => ({
    asin: `I${i}`,
    title: `\u2028 "é"\n ${'x'.repeat(i % 700)}`,
    description: '',
    brand: '',
    categories: '',
    ...(i % 2 === 0 && { extra: { price: i } }),
  }));
  for (const item of all) items.push(item);
  expect([...items]).toEqual(all);
  expect([...items]).toEqual(all);
  expect(items).toHaveLength(3000);
});

test('names that are sealed are those of the table', () => {
  const table = new IdTable();
  const names = Array.from({ length: 5000 }, (_, i) => `${'é'.repeat(i % 5)}${i}`);
  for (const name of names) table.id(name);
  const sealed = table.sealed();
  expect(sealed.size).toBe(5000);
  expect(names.map((_, i) => sealed.name(i))).toEqual(names);
  const some = Int32Array.of(3, 17, 4999);
  expect(sealed.longest(some)).toBe(table.longest(some));
  const [one, other] = [new Uint8Array(40), new Uint8Array(40)];
  expect(sealed.copy(19, one, 2)).toBe(table.copy(19, other, 2));
  expect(one).toEqual(other);
});

test('temporary files have no name, and are given back', () => {
  const file = scratch.open();
  file.append(Uint8Array.of(1, 2, 3));
  expect(readdirSync(join(dir, 'scratch'))).toEqual([]);
  const into = new Uint8Array(4);
  expect(file.read(1, into)).toBe(2);
  expect([...into]).toEqual([2, 3, 0, 0]);
  scratch.close();
  expect(() => file.append(into)).toThrow();
  expect(() => new Scratch('/dev/null/none').open()).toThrow('expected room for temporary files');
});

test('lines in pieces are those of the whole file', () => {
  const path = join(dir, 'lines.txt');
  const text = fc.array(fc.constantFrom('a', 'é', '\n', '\r\n', '\u2028', '\n\n', 'xyz'), { maxLength: 30 }).map((parts) => parts.join('')); // prettier-ignore
  fc.assert(
    fc.property(text, fc.integer({ min: 1, max: 9 }), fc.boolean(), (content, piece, packed) => {
      writeFileSync(path, packed ? gzipSync(content) : content);
      expect([...linesInPieces(path, 'x', piece)]).toEqual(content.split('\n'));
    }),
    { numRuns: 100 },
  );
  writeFileSync(path, '\uFEFFa\nb');
  expect([...linesInPieces(path)]).toEqual(['a', 'b']);
  writeFileSync(path, Uint8Array.of(97, 10, 98, 10, 0xff, 10));
  expect(() => [...linesInPieces(path, 'x', 2)]).toThrow(/lines\.txt:3: /);
  expect(() => [...linesInPieces(join(dir, 'no.txt'), 'mend it')]).toThrow('no such file; mend it');
});

test('rows one by one are the rows of the file, and the same errors', async () => {
  const path = join(dir, 'rows.inter');
  const good = `${INTER_HEADER}\nu\t0 1\t2\n\nv\t2\t0\r\n`;
  for (const content of [good, '', `${INTER_HEADER}\nu\t0\n`, `u\t0\t1\n`, `${INTER_HEADER}\nu\t0\t7\n`]) {
    writeFileSync(path, content);
    const whole = await readInter(path, 3).catch((error: Error) => error.message);
    const one = (() => {
      try {
        return [...interRows(path, 3)];
      } catch (error) {
        return (error as Error).message;
      }
    })();
    expect(one).toEqual(whole);
  }
});
