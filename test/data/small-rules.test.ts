/** Rules of a line or two, each at its bounds: months, columns, ids, item texts. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { goodItems, nothingRemoved } from '../../lib/data/filter/filter-rules.js';
import { filterInteractions } from '../../lib/data/filter/filter.js';
import { kCore } from '../../lib/data/filter/k-core.js';
import { monthStart } from '../../lib/data/filter/months.js';
import { orderByTime } from '../../lib/data/filter/order-by-time.js';
import { blocksInMemory, renumberItems } from '../../lib/data/filter/select.js';
import { cleanTitle, titleFault } from '../../lib/data/filter/title.js';
import { firstSentences, itemText, protectText } from '../../lib/data/item-text.js';
import { placeholderCatalogue, readCatalogue } from '../../lib/data/raw/catalogue.js';
import { type ColumnMap, hasPlaces, isHeader, parseColumns, placesOf } from '../../lib/data/raw/columns.js';
import { grown, IdTable } from '../../lib/data/raw/id-table.js';
import { fromReviews, InteractionsBuilder, interactionsTable } from '../../lib/data/raw/interactions.js';
import { parseObject } from '../../lib/data/raw/json-text.js';
import { parsePythonLiteral } from '../../lib/data/raw/python-dict.js';
import { parseReview } from '../../lib/data/raw/reviews.js';
import type { CatalogueItem } from '../../lib/data/raw/shelf.js';

const dir = mkdtempSync(join(tmpdir(), 'sidlab-'));
afterAll(() => rmSync(dir, { recursive: true }));

function file(name: string, content: string): string {
  const path = join(dir, name);
  writeFileSync(path, content);
  return path;
}

test('months: the first moment of each, and of the one after', () => {
  const day = (year: number, month: number) => Date.UTC(year, month - 1, 1) / 1000;
  expect(monthStart('2018-01', 'from')).toBe(day(2018, 1));
  expect(monthStart('2018-12', 'from')).toBe(day(2018, 12));
  expect([0, 1].map((after) => monthStart('2018-10', 'to', after))).toEqual([day(2018, 10), day(2018, 11)]);
  expect(monthStart('2018-12', 'to', 1)).toBe(day(2019, 1));
  for (const wrong of ['2018-00', '2018-13', '2018-1', '2018', 'x2018-10', '2018-10-01', '']) {
    expect(() => monthStart(wrong, 'from')).toThrow(`from: expected a month such as 2018-10, got ${wrong}`);
  }
});

test('no times, one time, one time of all', () => {
  expect([...orderByTime(new Float64Array())]).toEqual([]);
  expect([...orderByTime(Float64Array.of(5))]).toEqual([0]);
  expect([...orderByTime(Float64Array.of(7, 7, 7))]).toEqual([0, 1, 2]);
});

test('k-core: ends that do not fit together', () => {
  expect(() => kCore([0, 1], [0], 1, 1)).toThrow('kCore: expected as many users as items, got 2 and 1');
});

describe('columns', () => {
  test('maps', () => {
    expect(parseColumns('user=customer,item=sku,time=3')).toEqual({ user: 'customer', item: 'sku', time: 3 });
    expect(parseColumns('user=a=b,c,item=0')).toEqual({ user: 'a=b,c', item: 0 });
    for (const wrong of ['user', 'user=', 'who=x', '=x', '']) expect(() => parseColumns(wrong)).toThrow('filter: expected columns such as'); // prettier-ignore
    expect([{ user: 'a' }, { user: 'a', item: 0 }].map((map) => hasPlaces(map))).toEqual([false, true]);
  });

  test('places: the map before the known names, exact before alike, several for texts alone', () => {
    const header = ['Item ID', 'user', 'User_Id', 'features', 'description', 'time', 'timestamp', 'item_id'];
    const roles = ['user', 'item', 'time', 'description', 'brand'] as const;
    const none = { stars: [], title: [], categories: [], brand: [] };
    expect(placesOf(header, {}, roles, ['user', 'item'], 'f:1')).toEqual({ ...none, user: [1], item: [7], time: [5], description: [4, 3] }); // prettier-ignore
    expect(placesOf(header.slice(0, 7), { user: 'User_Id', time: 0 }, roles, [], 'f:1')).toEqual({ ...none, user: [2], item: [0], time: [0], description: [4, 3] }); // prettier-ignore
    const fails = (map: ColumnMap, needed: 'brand'[], message: string) =>
      expect(() => placesOf(header, map, roles, needed, 'f:1')).toThrow(message);
    expect(placesOf(header, { time: 7 }, roles, [], 'f:1').time).toEqual([7]);
    fails({ time: 8 }, [], 'f:1: expected a column 8, got Item ID, user,');
    fails({ time: 'when' }, [], 'expected a column when, got Item ID, user, User_Id, features, description, time, timestamp, item_id; name it with --columns time=NAME'); // prettier-ignore
    fails({}, ['brand'], 'expected a column brand, got');
    expect(() => placesOf(['x'.repeat(300)], {}, ['user'], ['user'], 'f:1')).toThrow(`got ${'x'.repeat(200)}; name`);
    expect(placesOf(header, { brand: 'nowhere' }, ['user'], [], 'f:1').brand).toEqual([]); // not asked for
    expect(isHeader(['userId', 'x'], ['user'])).toBe(true);
    expect(isHeader(['userId', 'x'], ['user', 'item'])).toBe(false);
    expect(isHeader(['196', '242'], ['user'])).toBe(false);
  });
});

describe('names', () => {
  test('each is found at once, however many there are', () => {
    const names = new IdTable();
    for (let i = 0; i < 9000; i++) {
      expect(names.id(`n${i}`)).toBe(i);
      expect(names.name(i)).toBe(`n${i}`);
    }
    for (let i = 0; i < 9000; i++) expect(names.find(`n${i}`)).toBe(i);
    expect([names.size, names.find('n9000')]).toEqual([9000, -1]);
  });

  test('two names of one hash are two names (FNV-1a)', () => {
    const names = new IdTable();
    const twins = ['costarring', 'liquid', 'declinate', 'macallums', 'altarage', 'zinke', ''];
    expect(twins.map((name) => names.id(name))).toEqual([0, 1, 2, 3, 4, 5, 6]);
    expect(twins.map((name) => names.id(name))).toEqual([0, 1, 2, 3, 4, 5, 6]);
    expect(names.list()).toEqual(twins);
  });

  test('lengths in bytes, copies at their place, names longer than all before together', () => {
    const names = new IdTable();
    const texts = ['a', 'é€', 'x'.repeat(100_000), 'y'.repeat(40_000), 'z'];
    const ids = texts.map((name) => names.id(name));
    expect(ids.map((id) => names.length(id))).toEqual([1, 5, 100_000, 40_000, 1]);
    expect(names.list()).toEqual(texts);
    expect([names.longest(Int32Array.of(1, 0, 4)), names.longest(new Int32Array())]).toEqual([5, 0]);
    const target = new Uint8Array(9).fill(46);
    expect(names.copy(1, target, 2)).toBe(7);
    expect(Buffer.from(target).toString()).toBe('..é€..');
    const few = new IdTable(4);
    expect(['ab', 'cd', 'ab'].map((name) => few.id(name))).toEqual([0, 1, 0]);
    expect(() => few.id('e')).toThrow('names: expected 2 GB of them at most, got 3 that are longer; filter in parts');
    const source = Buffer.from('abcdef');
    expect([names.intern(source, 2, 4), names.intern(source, 2, 5)]).toEqual([5, 6]);
    expect([names.name(5), names.name(6)]).toEqual(['cd', 'cde']);
    expect([...grown(Int32Array.of(1, 2), 4)]).toEqual([1, 2, 0, 0]);
  });
});

describe('interactions', () => {
  test('all columns grow together', () => {
    const builder = new InteractionsBuilder();
    for (let i = 0; i < 20_000; i++) builder.add(i, 2 * i, i + 0.5, i % 6);
    const { length, users, items, times, stars } = builder.done();
    expect([length, users.length, items.length, times.length, stars.length]).toEqual(Array<number>(5).fill(20_000));
    for (const i of [0, 4095, 4096, 8191, 8192, 19_999]) {
      expect([users[i], items[i], times[i], stars[i]]).toEqual([i, 2 * i, i + 0.5, i % 6]);
    }
  });

  test('from memory: stars are 0 where there are none; rows are counted from 1', () => {
    const reviews = [
      { user: 'U', asin: 'A', time: 5, stars: 4 },
      { user: 'V', asin: 'A', time: 6 },
      { user: 'U', asin: 'B', time: 7, stars: null },
    ];
    const data = fromReviews(reviews);
    expect(interactionsTable(data).objects()).toEqual([
      { user: 'U', asin: 'A', stars: 4, time: 5 },
      { user: 'V', asin: 'A', stars: 0, time: 6 },
      { user: 'U', asin: 'B', stars: 0, time: 7 },
    ]);
    expect([[...data.users], [...data.items], data.timed]).toEqual([[0, 1, 0], [0, 0, 1], true]); // prettier-ignore
    expect(() => fromReviews([...reviews, { user: 'U', asin: 'A', time: 'x' }])).toThrow('filter: review 4: expected time to be'); // prettier-ignore
    expect(() => fromReviews([{ user: 'a b', asin: 'A', time: 1 }])).toThrow('filter: review 1: expected user to be text without spaces, got "a b"'); // prettier-ignore
  });

  test('a review’s line: stars where there are some, long lines are cut in messages', () => {
    const names = { user: 'u', item: 'i', time: 't', stars: 's' };
    expect(parseReview('{"u":"U","i":"I","t":9,"s":4}', 'f:1', names)).toEqual({ user: 'U', asin: 'I', time: 9, stars: 4 }); // prettier-ignore
    expect(parseReview('{"u":"U","i":"I","t":9}', 'f:1', names).stars).toBe(0);
    expect(parseReview('{"u":"U","i":"I","t":9,"s":null}', 'f:1', names).stars).toBe(0);
    const sixty = `[${'1'.repeat(58)}]`;
    expect(() => parseObject(sixty, 'f:1')).toThrow(`f:1: expected a JSON object, got ${sixty}; mend`);
    expect(() => parseObject(`[1${sixty.slice(1)}`, 'f:1')).toThrow(`got [1${'1'.repeat(58)}...; mend`);
    expect(() => parseObject(`x\u0001\u0001${'y'.repeat(300)}`, 'f:1')).toThrow(
      `not valid JSON (x ${'y'.repeat(58)}...)`,
    );
    for (const text of ['null', '3', '"a"']) expect(() => parseObject(text, 'f')).toThrow('expected a JSON object');
  });
});

describe('catalogues', () => {
  test('without texts: whole numbers by size, other names as they were met', () => {
    const of = (...names: string[]) => {
      const itemNames = new IdTable();
      names.forEach((name) => itemNames.id(name));
      return placeholderCatalogue({ ...fromReviews([]), itemNames });
    };
    const numbers = of('10', '9', '007', '123456789012345678901', '0', '8', '10000', '99', '123456789012345678900');
    expect(numbers.items.map(({ asin }) => asin)).toEqual(['0', '007', '8', '9', '10', '99', '10000', '123456789012345678900', '123456789012345678901']); // prettier-ignore
    expect(of('07', '7', '12', '007').items.map(({ asin }) => asin)).toEqual(['07', '7', '007', '12']); // of one size, as met
    expect(of('10', '9', 'x1').items.map(({ asin }) => asin)).toEqual(['10', '9', 'x1']);
    expect(of('7')).toEqual({ items: [{ asin: '7', title: 'item 7', description: '', brand: '', categories: '' }], duplicates: 0 }); // prettier-ignore
  });

  test('films: every genre’s flag, a line too short, blank lines', async () => {
    const flags = (genre: number) => Array.from({ length: 19 }, (_, i) => Number(i === genre)).join('|');
    const genres = 'unknown,Action,Adventure,Animation,Children\'s,Comedy,Crime,Documentary,Drama,Fantasy,Film-Noir,Horror,Musical,Mystery,Romance,Sci-Fi,Thriller,War,Western'.split(','); // prettier-ignore
    const lines = genres.map((_, genre) => `${genre + 1}|T${genre}|01-Jan-1995||http://a|${flags(genre)}`);
    const { items } = await readCatalogue(file('u.item', `${lines.join('\n\n')}\n`), 'movielens');
    expect(items.map(({ categories }) => categories)).toEqual(genres);
    expect(items.map(({ asin, title }) => [asin, title])).toEqual(genres.map((_, i) => [`${i + 1}`, `T${i}`]));
    await expect(readCatalogue(file('short.dat', '1::A::War\n\n2\n'), 'movielens')).rejects.toThrow('short.dat:3: expected an id and a title, got 2'); // prettier-ignore
    const long = file('long.dat', 'x'.repeat(99));
    await expect(readCatalogue(long, 'movielens')).rejects.toThrow(new RegExp(`got x{60}$`));
    const extra = await readCatalogue(file('extra.item', `1|T|||${'|1'.repeat(20)}\n`), 'movielens'); // a flag too many
    expect(extra.items[0]!.categories).toBe(genres.join(', '));
    const named = await readCatalogue(file('named.dat', '1::é::War\n'), 'movielens', {}, { encoding: 'latin1' });
    expect(named.items[0]!.title).toBe('Ã©');
    const bare = await readCatalogue(file('bare.dat', '1::A\n'), 'movielens');
    expect(bare.items).toEqual([{ asin: '1', title: 'A', description: '', brand: '', categories: '' }]);
  });

  test('a broken dict is shown by its first 60 characters; a header is one line', async () => {
    const path = file('long.meta', `{'asin': '1', 'title': 'a'}\n{'asin': ${'x'.repeat(99)}\n`);
    await expect(readCatalogue(path)).rejects.toThrow(
      `long.meta:2: not a valid Python dict ({'asin': ${'x'.repeat(51)}...)`,
    );
    const csv = await readCatalogue(file('items.csv', 'item,title\n1,A\n2,B\n'));
    expect(csv.items.map(({ asin }) => asin)).toEqual(['1', '2']);
    const bare = await readCatalogue(file('bare.csv', '1,A\n2,B\n'), 'csv', { item: 0, title: 1 });
    expect(bare.items.map(({ asin }) => asin)).toEqual(['1', '2']);
  });

  test('2023’s parent is the item; 2014’s and 2018’s have none', async () => {
    const path = file(
      'm.jsonl',
      '{"parent_asin":"P","asin":"C","title":"a"}\n{"asin":"D","title":"b"}\n{"title":"c"}\n',
    );
    await expect(readCatalogue(path)).rejects.toThrow('m.jsonl:3: expected asin to be text without spaces');
    const good = file('m2.jsonl', '{"parent_asin":"P","asin":"C","title":"a"}\n{"asin":"D","title":"b"}\n');
    expect((await readCatalogue(good)).items.map(({ asin }) => asin)).toEqual(['P', 'D']);
  });
});

test.each<[string, unknown]>([
  [`(1, 'a', "b",)`, [1, 'a', 'b']],
  ['[]', []],
  ['()', []],
  ['{}', {}],
  ["{1: 2, 'b': -.5}", { 1: 2, b: -0.5 }],
  ["u'a'", 'a'],
  ['None', null],
  ["  ['x', [True, False]]  ", ['x', [true, false]]],
  ["'a' 'b'", undefined],
  ["['a' 'b']", undefined],
  ["['a', , 'b']", undefined],
  ["{'a', 'b'}", undefined],
  ["['a'}", undefined],
  ["['a", undefined],
  ["'abc ", undefined],
  ['[1]]', undefined],
  ['Nonesuch', undefined],
  ['[1] [2]', undefined],
  ['['.repeat(100_000), undefined],
])('Python literal %.20s', (text, value) => {
  expect(parsePythonLiteral(text)).toEqual(value);
});

describe('titles', () => {
  test('at their bounds', () => {
    const words = (count: number) => Array.from({ length: count }, (_, i) => `w${i}`).join(' ');
    expect([19, 20, 21].map((count) => titleFault(words(count), 20))).toEqual([undefined, undefined, 'titlesTooLong']);
    expect(titleFault('', 20)).toBe('itemsWithoutTitle');
    expect(titleFault('a <b>', 20)).toBe('titlesWithMarkup');
    expect(cleanTitle(' a \t b  c\u2028d ')).toBe('a b  c d');
    const removed = nothingRemoved(3);
    const items = ['', 'a b c', 'x &amp; y', 'fine', '<i>'].map((title, i) => ({ asin: `${i}`, title, description: '', brand: '', categories: '' })); // prettier-ignore
    const numbers = new IdTable();
    for (const name of ['3', '1', '2', '0']) numbers.id(name); // 4 was never bought
    expect([...goodItems(items, 2, false, numbers, removed)]).toEqual([-1, -1, -1, 0, -1]);
    expect(removed).toMatchObject({ duplicateItems: 3, itemsWithoutTitle: 1, titlesTooLong: 2, titlesWithMarkup: 1 });
    expect([...goodItems(items, 3, true, numbers, nothingRemoved(0))]).toEqual([-1, 1, 2, 0, -1]);
  });
});

test('counts of a filter, each by hand', () => {
  const item = (asin: string, title = asin): CatalogueItem => ({ asin, title, description: '', brand: '', categories: '' }); // prettier-ignore
  const time = (month: number, day = 1) => Date.UTC(2016, month - 1, day) / 1000;
  const bought = [
    ['U', 'A', 1, 1], ['U', 'B', 2], ['U', 'A', 3], ['U', 'A', 3], ['V', 'A', 2], ['V', 'B', 3], ['V', 'X', 3], // X is not listed
    ['W', 'A', 2], ['W', 'E', 2], // W has one left, E has no title
    ['Z', 'A', 4], ['U', 'C', 3, 9], // after the last month; C is bought once
  ] as [string, string, number, number?][]; // prettier-ignore
  const reviews = bought.map(([user, asin, month, day]) => ({ user, asin, time: time(month, day) }));
  const items = [item('C'), item('B'), item('A'), item('E', ''), item('N')];
  const options = { userK: 2, itemK: 2, from: '2016-01', to: '2016-03', split: 'leave-one-out' } as const;
  const { counts, asins, train, valid, test: last } = filterInteractions(reviews, items, options);
  expect(asins).toEqual(['B', 'A']);
  expect(counts).toEqual({
    ...{ users: 2, items: 2, interactions: 5, density: 5 / 4 },
    read: { users: 4, items: 5, interactions: 11 },
    dates: { from: '2016-01', to: '2016-03' },
    removed: {
      ...{ duplicateItems: 0, itemsWithoutTitle: 1, titlesWithMarkup: 0, titlesTooLong: 0 },
      ...{ interactionsOutsideDates: 1, interactionsWithoutItem: 2, duplicateInteractions: 1 },
      ...{ usersWithOneInteraction: 1, usersBelowK: 0, itemsBelowK: 1, interactionsBelowK: 2 },
    },
    html: { titles: 0, descriptions: 0, brands: 0, categories: 0 },
    split: { train: 0, valid: 1, test: 2 },
  });
  expect([train, valid, last]).toEqual([
    [],
    [{ user: 'U', history: [1], target: 0 }],
    [{ user: 'U', history: [1, 0], target: 1 }, { user: 'V', history: [1], target: 0 }], // prettier-ignore
  ]);
});

describe('item texts', () => {
  test('on one line, nothing that looks like a token, a description that was printed as a list', () => {
    const item = { title: ' a\tb\n<a_1> ', description: "['One.', 'Two']", brand: '<|x|>', categories: 'A  B\u0000C' };
    expect(itemText(item)).toEqual({ title: 'a b < a_1>', description: 'One. Two', summary: 'One. Two', brand: '< |x|>', categories: 'A B C' }); // prettier-ignore
    expect(itemText({ ...item, title: 'x\ud800y [PAD] z' }, ['[PAD]', '']).title).toBe('xy [ PAD] z');
    expect(protectText('a <b <_ <! </ < 5 <5 <é [X][X]', ['[X]'])).toBe('a < b < _ < ! < / < 5 <5 < é [ X][ X]');
    expect(protectText('aa x', ['x', 'aa'])).toBe('a a x'); // a token of one character is text
    expect(itemText({ ...item, extra: { tags: [true], characteristics: { a: true, b: ['x', 2] } } }).enriched).toEqual({ enhanced_title: '', tags: '', highlights: '', characteristics: 'a: , b: x, 2' }); // prettier-ignore
  });

  test('the first sentences of a text that is too long, or its first words', () => {
    expect(firstSentences('One two. Three four. Five.', 4)).toBe('One two. Three four.');
    expect(firstSentences('One two. Three four. Five.', 5)).toBe('One two. Three four. Five.');
    expect(firstSentences('One two. Three four', 4)).toBe('One two. Three four');
    expect(firstSentences('One! two three four', 3)).toBe('One!');
    expect(firstSentences('One two three four', 3)).toBe('One two three');
    const long = Array.from({ length: 101 }, (_, i) => `w${i}`);
    const summary = (words: string[]) => itemText({ title: '', description: words.join(' '), brand: '', categories: '' }).summary; // prettier-ignore
    expect(summary(long)).toBe(long.slice(0, 100).join(' '));
    expect(summary(long.slice(0, 100))).toBe(long.slice(0, 100).join(' '));
  });
});

test('an item that the catalogue lacks has no id', () => {
  const { ids, listed } = renumberItems(Int32Array.of(2, -1, 0), { size: 4, isBought: (number) => number !== 3 });
  expect([[...ids], [...listed]]).toEqual([
    [1, -1, 0, -1],
    [0, 2],
  ]);
});

test.each([0, 1, 65_535, 65_536, 65_537])('%i interactions come in blocks, none of them empty', (count) => {
  const columns = [
    Int32Array.from({ length: count }, (_, i) => i),
    Int32Array.from({ length: count }, (_, i) => 2 * i),
  ];
  const seen: number[] = [];
  for (const { length, users, items, times } of blocksInMemory(columns[0]!, columns[1]!, (i) => 3 * i)) {
    expect([users.length, items.length, length > 0]).toEqual([length, length, true]);
    expect([users[0], items[0], times[0], times[length - 1]]).toEqual([seen.length, 2 * seen.length, 3 * seen.length, 3 * (seen.length + length - 1)]); // prettier-ignore
    for (let i = 0; i < length; i++) seen.push(users[i]!);
  }
  expect(seen).toEqual([...columns[0]!]);
});

test('a part without rows is passed over, a file without rows is an error', async () => {
  const folder = mkdtempSync(join(dir, 'parts-'));
  writeFileSync(join(folder, 'part-0.csv'), 'item,title\n1,A\n');
  writeFileSync(join(folder, 'part-1.csv'), '');
  expect((await readCatalogue(folder, 'csv')).items).toMatchObject([{ asin: '1', title: 'A' }]);
  await expect(readCatalogue(join(folder, 'part-1.csv'), 'csv')).rejects.toThrow(
    'part-1.csv:1: expected a column item, got ; name it',
  );
});

test('fields of one item that another lacks, of a published file', async () => {
  const path = file('NAME.item.json', JSON.stringify({ 0: { title: 'a', tags: 'x', n: 3 }, 1: { title: 'b' } }));
  for (const [keepFields, extra] of [
    [undefined, { tags: 'x', n: 3 }],
    [['tags'], { tags: 'x' }],
  ] as const) {
    const { items } = await readCatalogue(path, 'inter-json', {}, keepFields && { keepFields });
    expect(items.map((item) => item.extra)).toEqual([extra, undefined]);
  }
});
