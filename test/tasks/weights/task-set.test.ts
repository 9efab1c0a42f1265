/** Examples of a mix that are weighted, drawn, cut or made: what an epoch holds, and what each example is. */
import { describe, expect, test } from 'vitest';
import fc from '../../fast-check.js';
import type { Row } from '../../../lib/data/dataset.js';
import { wordTokenizer } from '../../../lib/lm/tokenizer/tokenizer.js';
import { cutChain, cutHistory } from '../../../lib/tasks/cut-histories.js';
import type { Example, ExampleMode } from '../../../lib/tasks/examples.js';
import { createRenderer, promptContext } from '../../../lib/tasks/prompts.js';
import { parseTasks } from '../../../lib/tasks/task-mix.js';
import { TaskSet, type TaskSetOptions } from '../../../lib/tasks/task-set.js';
import { TEMPLATES, templateWords } from '../../../lib/tasks/templates.js';
import { type RowWeights, rowWeights } from '../../../lib/tasks/weights/row-weights.js';
import { parseWeights } from '../../../lib/tasks/weights/weight-factors.js';
import { Random } from '../../../lib/support/random.js';
import { datasetOf, indexOf } from '../small-dataset.js';

const ITEMS = 12;
const tokenizer = wordTokenizer(templateWords(), indexOf(ITEMS), 'used');
const sid = (item: number): number => tokenizer.encode(`<a_${item}>`)[0]!;
const renderOf = (task: string) => createRenderer(TEMPLATES[task]!, indexOf(ITEMS), tokenizer);

/** Users with sequences of their own; a row each step. */
function rowsOf(...sequences: number[][]): Row[] {
  return sequences.flatMap((items, u) =>
    items.slice(1).map((target, i) => ({ user: `u${u}`, history: items.slice(0, i + 1), target })),
  );
}

function setOf(task: string, train: Row[], options: Partial<TaskSetOptions> = {}, mode: ExampleMode = 'chain') {
  const dataset = { ...datasetOf(ITEMS, 1), train };
  const parts = parseTasks(task, TEMPLATES, mode);
  const set = new TaskSet(dataset, parts, promptContext(indexOf(ITEMS), dataset.items), { seed: 1, ...options });
  return { set, examples: (epoch = 0) => set.examples(epoch).map((of) => ({ of, example: set.example(of, parts.map(({ name }) => renderOf(name))) })) }; // prettier-ignore
}

const weigh = (text: string, rows: readonly Row[]): RowWeights => rowWeights(parseWeights(text), { rows, items: ITEMS, column: () => rows.map((_, i) => i + 1) }); // prettier-ignore

const rounded = ({ weights }: Example): number[] => weights!.map((weight) => Number(weight.toPrecision(12)));

describe('weights in the loss', () => {
  const rows = rowsOf([0, 1, 2, 3], [4, 5]);

  test('row mode: one weight a label, that of the row', () => {
    const { examples } = setOf('words', rows, { weights: weigh('column:n', rows) });
    expect(examples().map(({ example }) => [...new Set(rounded(example))])).toEqual([[0.4], [0.8], [1.2], [1.6]]);
    examples().forEach(({ example }) => expect(example.weights).toHaveLength(example.labels.length));
  });

  test('chain mode: the weight of the row that states each prediction', () => {
    const { examples } = setOf('sids', rows, { weights: weigh('column:n', rows) });
    expect(examples().map(({ example }) => rounded(example))).toEqual([[0.4, 0.8, 1.2], [1.6]]);
    const shuffled = [rows[2]!, rows[0]!, rows[3]!, rows[1]!];
    const other = setOf('sids', shuffled, { weights: weigh('column:n', shuffled) });
    expect(other.examples().map(({ example }) => rounded(example))).toEqual([[0.8, 1.6, 0.4], [1.2]]);
  });

  test('the same step twice: the weights in the order of the rows', () => {
    const again = rowsOf([0, 1, 0, 1]);
    const { examples } = setOf('sids', again, { weights: weigh('column:n', again) });
    expect(examples().map(({ example }) => rounded(example))).toEqual([[0.5, 1, 1.5]]);
  });

  test('a prediction that no row states: its item, and the row factor of the next one that is stated', () => {
    const train = [{ user: 'a', history: [0, 1, 2], target: 3 }, { user: 'a', history: [0, 1, 2, 3], target: 2 }]; // prettier-ignore
    const { examples } = setOf('sids', train, { weights: weigh('column:n,balanced:1', train) });
    const unit = 2 / (1 + 2 / 2); // the mean over the two rows is 1: item 2 was bought twice
    expect(examples()[0]!.example.weights).toEqual([1, 1 / 2, 1, 1].map((w) => expect.closeTo(w * unit, 12) as number));
  });

  test('in windows of a long sequence each weight stays with its item', () => {
    const long = rowsOf([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
    const weights = weigh('column:n', long);
    const byLabel = new Map<number, number>();
    for (const { example } of setOf('sids', long, { weights, window: 2 }).examples()) {
      example.labels.forEach((label, i) => byLabel.set(label, example.weights![i]!));
    }
    long.forEach(({ target }, i) => expect(byLabel.get(sid(target))).toBeCloseTo((i + 1) / 5, 12));
  });

  test('no weight for tasks of items, and none where nobody asks', () => {
    const { examples } = setOf('words', rows);
    expect(examples().every(({ example }) => example.weights === undefined)).toBe(true);
  });
});

describe('weights as draws', () => {
  const rows = rowsOf([0, 1, 2, 3, 4]);
  const weights = weigh('column:n', rows);

  test('as many examples as before, each drawn as often as its weight says, others every epoch', () => {
    const { set, examples } = setOf('words:2.5', rows, { weights, weighting: 'draw' });
    const counts = [0, 0, 0, 0];
    for (let epoch = 0; epoch < 400; epoch++) {
      const drawn = examples(epoch);
      expect(drawn).toHaveLength(10);
      drawn.forEach(({ of }) => counts[of.example]!++);
      expect(drawn.every(({ example }) => example.weights === undefined)).toBe(true);
    }
    expect(counts.map((n) => n / 400)).toEqual([1, 2, 3, 4]); // 10 * w / sum: whole numbers are drawn exactly
    expect(set.draws).toBe(true);
    const some = setOf('words', rows, { weights, weighting: 'draw' });
    const sums = [0, 0, 0, 0];
    for (let epoch = 0; epoch < 2000; epoch++) some.examples(epoch).forEach(({ of }) => sums[of.example]!++);
    sums.forEach((n, i) => expect(Math.abs(n / 2000 - 0.4 * (i + 1))).toBeLessThan(0.05));
  });

  test('nothing is drawn without weights, or where they multiply the loss', () => {
    expect(setOf('words', rows, { weighting: 'draw' }).set.draws).toBe(false);
    expect(setOf('words', rows, { weights }).set.draws).toBe(false);
    expect(setOf('words', rows).set.draws).toBe(false);
  });

  test('texts of several rows cannot be drawn', () => {
    expect(() => setOf('sids', rows, { weights, weighting: 'draw' })).toThrow(/--weighting draw: sids.*--mode row/);
  });
});

describe('shorter histories', () => {
  const rows = rowsOf([0, 1, 2, 3, 4, 5, 6, 7], [8, 9]);

  test('a share of the examples comes once more, with one to three items before the target', () => {
    const { set, examples } = setOf('words', rows, { cutHistories: 1, cutLength: 3 });
    const all = examples();
    const cut = all.filter(({ of }) => of.cut);
    expect(all.length - cut.length).toBe(rows.length);
    expect(cut).toHaveLength(6); // a history of one item has nothing to lose
    for (const { of } of cut) {
      const [from, to] = of.cut!;
      const { history, target } = rows[of.example]!;
      expect(to).toBe(history.length);
      expect(from).toBeGreaterThan(0);
      expect(to - from).toBeLessThanOrEqual(3);
      const { example } = all.find((other) => other.of === of)!;
      const items = [...example.tokens, example.labels.at(-1)!].filter((token) => token >= sid(0) && token <= sid(11));
      expect(items).toEqual([...history.slice(from), target].map(sid));
    }
    expect(set.counts().words!.perEpoch).toBe(all.length);
    expect(examples(1).map(({ of }) => of.cut)).not.toEqual(all.map(({ of }) => of.cut));
  });

  test('three items are left at most unless another number is asked for; tasks of items have no history', () => {
    const left = Array.from({ length: 20 }, (_, epoch) =>
      setOf('words', rows, { cutHistories: 1 }).set.examples(epoch).flatMap(({ cut }) => (cut ? cut[1] - cut[0] : [])),
    ).flat(); // prettier-ignore
    expect(new Set(left)).toEqual(new Set([1, 2, 3]));
    const { set } = setOf('title2sid', rows, { cutHistories: 1 });
    expect(set.examples(0)).toHaveLength(set.counts().title2sid!.examples);
  });

  test('the count of an epoch is that of the first one, whatever others lose', () => {
    const sizes = Array.from({ length: 12 }, (_, seed) => {
      const { set } = setOf('words', rowsOf([0, 1, 2], [3, 4], [5, 6], [7, 8, 9]), { cutHistories: 0.5, seed });
      expect(set.counts().words!.perEpoch).toBe(set.examples(0).length);
      return [set.examples(0).length, set.examples(1).length];
    });
    expect(sizes.some(([first, second]) => first !== second)).toBe(true);
  });

  test('chain mode: a text that begins later, its weights with it', () => {
    const { examples } = setOf('sids', rows, { cutHistories: 1, cutLength: 2, weights: weigh('column:n', rows) });
    const cut = examples().filter(({ of }) => of.cut);
    expect(cut).toHaveLength(1); // of two items nothing is left out
    const [{ of, example }] = cut as [(typeof cut)[0]];
    const [from, to] = of.cut!;
    expect(to - from).toBeLessThanOrEqual(3);
    expect(example.labels).toEqual([0, 1, 2, 3, 4, 5, 6, 7].slice(from + 1, to).map(sid));
    example.weights!.forEach((weight, i) => expect(weight).toBeCloseTo((from + 1 + i) / 4.5, 12));
  });

  test('every length is there, and no cut trains what the whole text does not train', () => {
    const random = new Random('cut');
    const lengths = new Set(
      Array.from({ length: 200 }, () => cutHistory(9, 3, random)!).map(([from, to]) => to - from),
    );
    expect([...lengths].sort()).toEqual([1, 2, 3]);
    expect(cutHistory(1, 3, random)).toBeUndefined();
    fc.assert(
      fc.property(fc.integer({ min: 2, max: 12 }), fc.nat(11), fc.integer({ min: 1, max: 5 }), (length, c, longest) => {
        const context = 1 + (c % (length - 1));
        const cut = cutChain({ items: Array.from({ length }, (_, i) => i), context }, longest, random);
        if (!cut) return;
        const [from, to] = cut;
        expect(from).toBeGreaterThan(0);
        expect(to).toBeLessThanOrEqual(length);
        expect(to - from).toBeLessThanOrEqual(longest + 1);
        expect(to).toBeGreaterThan(Math.max(from + 1, context)); // something is trained
      }),
    );
  });
});

describe('rows for cold items', () => {
  const rows = rowsOf([0, 1, 2, 3]);
  const cold = [{ user: 'u0', history: [0, 1], target: 11 }];

  test('row mode: one more example', () => {
    const { set, examples } = setOf('words', rows, { cold, weights: weigh('column:n', rows) });
    expect(set.counts().words!.examples).toBe(4);
    const { example } = examples()[3]!;
    expect(example.labels[0]).toBe(sid(11));
    expect(example.weights![0]).toBe(1); // the mean row
  });

  test('chain mode: the history is context, the cold item alone is trained', () => {
    const { examples } = setOf('sids', rows, { cold });
    expect(examples().map(({ example }) => example.labels)).toEqual([[1, 2, 3].map(sid), [sid(11)]]);
    expect(examples()[1]!.example.tokens.slice(-2)).toEqual([0, 1].map(sid));
  });
});
