/** Templates: none gives its answer away, a user's own are checked, texts of strangers stay texts. */
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from '../fast-check.js';
import { describe, expect, test } from 'vitest';
import type { Item } from '../../lib/data/dataset.js';
import { itemOf } from '../../lib/data/filter/filter.js';
import { firstSentences, itemText, protectText } from '../../lib/data/item-text.js';
import { sampleCatalogue } from '../../lib/data/sample/sample.js';
import { bpeTokenizer } from '../../lib/lm/tokenizer/bpe-tokenizer.js';
import { preferenceText } from '../../lib/tasks/preference-text.js';
import { createRenderer, renderAnswer, renderPrompt, promptContext } from '../../lib/tasks/prompts.js';
import {
  answersWithSid,
  findTemplate,
  holdsText,
  parseTemplates,
  ranksItems,
  readTemplates,
  TEMPLATES,
  templateWords,
} from '../../lib/tasks/templates.js';

const { items: raw } = sampleCatalogue({ size: 'tiny' });
const items: Item[] = raw.map(({ title, description, brand, category }) =>
  itemOf({
    ...{ asin: '', title, description: description.join(' '), brand, categories: category.join(', ') },
    extra: { enhanced_title: `${title} for all`, tags: [`tag of ${title}`], highlights: 'h', characteristics: 'c' },
  }),
);
const index = items.map((_, item) => [`<a_${item % 7}>`, `<b_${item % 11}>`, `<c_${item}>`]);
const shop = promptContext(index, items);
const wordings = Object.entries(TEMPLATES).flatMap(([name, { prompts }]) =>
  prompts.map((_, wording) => [name, wording] as const),
);

test('the tasks of both systems are there, each with several prompts', () => {
  expect(Object.keys(TEMPLATES)).toEqual(
    (
      'sids words recent seqrec title2sid sid2title sid2description description2sid sids2title sids2description titles2title titles2sid ' +
      'preference preference2sid recency2sid item2index index2item fusionseqrec text_enrich text_enrich_without_id'
    ).split(' '),
  );
  for (const [name, { prompts }] of Object.entries(TEMPLATES)) {
    expect(new Set(prompts).size).toBe(prompts.length);
    if (!['sids', 'words', 'recent'].includes(name)) expect(prompts.length).toBeGreaterThanOrEqual(4);
  }
});

describe('no prompt contains its answer', () => {
  test.each(wordings)('%s, prompt %d: for every item of the sample', (name, wording) => {
    const template = findTemplate(name);
    for (let item = 0; item < items.length; item++) {
      const answer = renderAnswer(template, { history: [], item }, { ...shop, end: '' }).trim();
      // of items whose titles hold no other's: a longer title in the history may hold the answer's by its own words
      const history = [1, 2, 3]
        .map((step) => (item + 17 * step) % items.length)
        .filter((other) => !items[other]!.title.includes(answer));
      const prompt = renderPrompt(template, { history, item }, shop, wording);
      expect(prompt).not.toContain(answer);
      if (template.of === 'rows') {
        expect(history.length).toBeGreaterThan(0);
        expect(renderPrompt(template, { history, item: (item + 1) % items.length }, shop, wording)).toBe(prompt);
      }
    }
  });
});

test('words of templates: those of SIDs alone unless others are given, placeholders left out', () => {
  const own = {
    of: 'rows' as const,
    separator: ' / ',
    answer: '{sid}!',
    prompts: ['{history}', 'Buy {history}, then?'],
  };
  expect(templateWords([own])).toEqual(['Buy', ',', 'then', '?', '/', '!']);
  expect(templateWords()).toEqual(templateWords([TEMPLATES.sids!, TEMPLATES.words!]));
  expect(templateWords()).toContain('next');
});

test('what each task holds', () => {
  const named = (of: (name: string) => boolean): string => Object.keys(TEMPLATES).filter(of).join(' ');
  expect(named((name) => answersWithSid(TEMPLATES[name]!))).toBe(
    'sids words recent seqrec title2sid description2sid titles2sid preference2sid recency2sid item2index fusionseqrec',
  );
  expect(named((name) => !holdsText(TEMPLATES[name]!))).toBe('sids words recent seqrec recency2sid');
});

test('golden: the evaluation prompt of every task', () => {
  const golden = JSON.parse(readFileSync('test/golden/tasks.json', 'utf8')) as Golden;
  const small = promptContext(golden.index, golden.items);
  const renderings = Object.entries(TEMPLATES).map(([name, template]) => [
    name,
    { prompt: renderPrompt(template, golden.subject, small), answer: renderAnswer(template, golden.subject, small) },
  ]);
  expect(Object.fromEntries(renderings)).toEqual(golden.renderings);
});

interface Golden {
  items: Item[];
  index: string[][];
  subject: { history: number[]; item: number };
  renderings: Record<string, { prompt: string; answer: string }>;
}

describe("a user's own templates", () => {
  const folder = mkdtempSync(join(tmpdir(), 'sidlab-templates-'));
  const good = { of: 'items', answer: '{sid}{end}', prompts: ['brand {brand}: '] };

  test('add to the kit and replace', () => {
    const file = join(folder, 'own.json');
    writeFileSync(file, JSON.stringify({ brand2sid: good, seqrec: { ...good, of: 'rows', prompts: ['{history} >'] } }));
    const templates = readTemplates(file);
    expect(templates.brand2sid).toEqual({ ...good, separator: ', ' });
    expect(templates.seqrec!.prompts).toEqual(['{history} >']);
    expect(templates.title2sid).toBe(TEMPLATES.title2sid);
  });

  test.each([
    [[], 'own.json: expected an object {task: {of, prompts, answer}}, got []'],
    [null, 'expected an object {task: {of, prompts, answer}}, got null'],
    ['x', 'expected an object {task: {of, prompts, answer}}, got "x"'],
    [{}, 'expected an object {task: {of, prompts, answer}}, got {}'],
    [{ x: null }, 'x: expected {of, prompts, answer}, got null'],
    [{ x: [good] }, 'x: expected {of, prompts, answer}, got [{'],
    [{ x: { ...good, separator: 3 } }, 'x: expected separator to be a text'],
    [{ x: { ...good, answer: 3 } }, 'x: expected answer to be a text'],
    [{ x: { ...good, prompts: 'brand {brand}' } }, 'x: expected prompts to be a list of at least one text'],
    [{ x: { ...good, prompts: ['brand {brand}', 3] } }, 'x: expected prompts to be a list of at least one text'],
    [{ x: { ...good, answer: '{end}' } }, 'x: the answer holds no placeholder such as {sid}'],
    [{ x: { ...good, prompts: ['{brand}', '{end}'] } }, 'x: prompt 2 holds no placeholder'],
    [{ x: { ...good, answer: '{history}' } }, 'x: the answer: {history} is not of items'],
    [{ X: good }, 'own.json: X: expected a name of letters'],
    [{ x: 'text' }, 'own.json: x: expected {of, prompts, answer}, got "text"'],
    [{ x: { ...good, of: 'users' } }, 'x: expected of to be rows or items, got "users"'],
    [{ x: { ...good, prompt: 'a' } }, 'x: unknown key prompt; expected of, separator, answer, prompts'],
    [{ x: { ...good, prompts: [] } }, 'x: expected prompts to be a list of at least one text'],
    [{ x: { ...good, prompts: ['{titel}'] } }, 'x: prompt 1: unknown placeholder {titel}; expected one of history'],
    [{ x: { ...good, prompts: ['{title}', 'code of {sid}?'] } }, 'x: prompt 2: {sid} would give the answer away'],
    [{ x: { ...good, of: 'rows', prompts: ['{title}'] } }, 'x: prompt 1: {title} would give the answer away'],
    [
      { x: { ...good, prompts: ['{history}'] } },
      'x: prompt 1: {history} would give the answer away, or is not of items',
    ],
    [{ x: { ...good, answer: 'yes' } }, 'x: the answer holds no placeholder such as {sid}'],
    [{ x: { ...good, answer: '{preference}' } }, 'x: the answer: {preference} is not of items'],
    [{ x: { ...good, prompts: ['say it'] } }, 'x: prompt 1 holds no placeholder'],
  ])('%j is refused in a line', (value, message) => {
    expect(() => parseTemplates(value, 'own.json')).toThrow(message);
  });

  test('end of text may be anywhere, a preference may be the answer of rows', () => {
    const own = {
      taste: { of: 'rows', answer: '{preference}', prompts: ['{end}{history}', '{history_titles}{end}'] },
      one: { of: 'items', answer: '{title} {brand}', prompts: ['{sid}'] },
    };
    expect(Object.keys(parseTemplates(own, 'own.json'))).toEqual(['taste', 'one']);
  });

  test('an unknown task: the error names the known ones', () => {
    expect(() => findTemplate('constructor')).toThrow('template: expected one of sids, words, recent, seqrec');
  });
});

describe('texts of strangers', () => {
  const hostile = [
    'Drill <|endoftext|> <a_1><b_2><c_3> bit',
    '<<a_1>> </s> <s> <|im_start|>system',
    "$& $1 $` $' {sid} {history} \\1",
    'Pressure < 5 bar, <5 bar, a<b',
    '\u0000 tab\t line\n \ud800 end',
  ];
  const reserved = ['[PAD]', '<\uff5cend\uff5c>'];
  const hostileItems = [...hostile, ...reserved].map((title) => ({
    title,
    description: title,
    brand: '',
    categories: '',
  }));
  const codes = hostileItems.map((_, item) => ['<a_1>', '<b_2>', `<c_${item}>`]);
  const json = JSON.parse(bpeTokenizer([], codes, { vocabSize: 300 }).json) as { added_tokens: { content: string }[] };

  test('titles bring no control token and no SID, whatever they hold', () => {
    const tokenizer = bpeTokenizer(hostile, codes, { vocabSize: 300 });
    const control = new Set(json.added_tokens.map(({ content }) => tokenizer.tokenId(content)));
    const template = { of: 'items' as const, separator: '', answer: '{sid}', prompts: ['{title} {description}'] };
    const render = createRenderer(template, codes, tokenizer, { items: hostileItems });
    hostileItems.forEach((_, item) => {
      expect(render.prompt([], item).filter((id) => control.has(id))).toEqual([]);
    });
    // the test can fail: the raw title has such tokens
    expect(tokenizer.encode(hostile[0]!).some((id) => control.has(id))).toBe(true);
  });

  test('any text, any reserved tokens', () => {
    const token = fc.constantFrom('<|endoftext|>', '<a_1>', '</s>', '[PAD]', '[[', '<', ' ', 'a', '|>');
    fc.assert(
      fc.property(fc.array(token, { maxLength: 12 }), (pieces) => {
        const safe = protectText(pieces.join(''), ['[PAD]', '[[']);
        for (const control of ['<|endoftext|>', '<a_1>', '</s>', '[PAD]', '[[']) expect(safe).not.toContain(control);
        expect(safe.replaceAll(' ', '')).toBe(pieces.join('').replaceAll(' ', ''));
      }),
    );
  });

  test('places in a title are text, `$` too', () => {
    const { title } = itemText(hostileItems[2]!);
    expect(title).toBe(hostile[2]);
    const prompt = renderPrompt(TEMPLATES.title2sid!, { history: [], item: 2 }, promptContext(codes, hostileItems));
    expect(prompt).toBe(`Which item has the title "${hostile[2]}"?\n`);
  });

  test('what is no token stays as it is, on one line', () => {
    expect(itemText(hostileItems[3]!).title).toBe('Pressure < 5 bar, <5 bar, a< b');
    expect(itemText(hostileItems[4]!).title).toBe('tab line end');
  });
});

test("descriptions: MiniOneRec's printed lists are read, long answers end with a sentence", () => {
  const description = `['It''s steel.', "It's 5\\" long."]`.replace("''", "\\'");
  expect(itemText({ title: '', description, brand: '', categories: '' }).description).toBe(
    "It's steel. It's 5\" long.",
  );
  expect(firstSentences('One two. Three four five.', 4)).toBe('One two.');
  expect(firstSentences('One two three', 2)).toBe('One two');
});

test('a preference is a sentence about the history', () => {
  const of = (title: string, brand: string): ReturnType<typeof itemText> =>
    itemText({ title, description: '', brand, categories: 'Tools' });
  const history = [of('Steel staples', 'Stanley'), of('Staples for wood', 'Arrow'), of('Wood glue', 'Stanley')];
  expect(preferenceText(history)).toBe(
    'They come back to Stanley and Arrow, shop in Tools and look for wood, staples and glue.',
  );
  expect(preferenceText([])).toBe('');
});

test.each([
  ['{sid}', true],
  ['{title}', true],
  ['The {sid}: {title}{end}', true],
  ['{sid}{end}', true],
  ['{description}', false],
  ['{sid} {description}', false],
  ['{description} {title}', false],
  ['{end}', false],
  ['words', false],
])('the catalogue can be ranked by the answer %j: %s', (answer, ranked) => {
  expect(ranksItems({ of: 'items', separator: '', answer, prompts: [] })).toBe(ranked);
});
