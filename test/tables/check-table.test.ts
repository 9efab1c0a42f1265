/** A table that does not fit is refused in one line that names the field. */
import { expect, test } from 'vitest';
import { parsePaperTable } from '../../lib/tables/paper-table.js';
import { InputError } from '../../lib/support/errors.js';
import { TABLE } from './toys.js';

const [dataset] = TABLE.datasets;
const rowOf = (row: unknown) => ({ ...TABLE, rows: [TABLE.rows[0], row] });
const runOf = (run: unknown) => rowOf({ model: 'A', run, published: {} });
const optionsOf = (options: unknown, baseline = 'sasrec') => runOf({ baseline, options });
const publishedOf = (value: unknown) => rowOf({ ...TABLE.rows[0], published: { Toys: { 'HR@1': value } } });
const shares = 'rows[1].published.Toys.HR@1 to be a share from 0 to 1, or two in rising order';

test.each<[unknown, string]>([
  [null, 'it to be an object'],
  [[], 'it to be an object'],
  [{ ...TABLE, title: 3 }, 'title to be a text'],
  [{ ...TABLE, claim: 3 }, 'claim to be a text'],
  [{ ...TABLE, rows: [] }, 'rows to be a list of one or more'],
  [{ ...TABLE, metrics: ['MRR'] }, 'metrics to be such as HR@10 or NDCG@10, not MRR'],
  [{ ...TABLE, metrics: ['HR@0'] }, 'metrics to be such as HR@10 or NDCG@10, not HR@0'],
  [{ ...TABLE, metrics: ['HR@05'] }, 'metrics to be such as HR@10 or NDCG@10, not HR@05'],
  [{ ...TABLE, metrics: [['HR@5']] }, 'metrics to be such as HR@10'],
  [{ ...TABLE, datasets: [null] }, 'datasets[0] to be an object of name, label and rows'],
  [{ ...TABLE, datasets: [{ ...dataset, label: 1 }] }, 'datasets[0] to be an object of name, label and rows'],
  [{ ...TABLE, datasets: [{ ...dataset, rows: null }] }, 'datasets[0].rows to be an object of train, valid and test'],
  [{ ...TABLE, datasets: [{ ...dataset, rows: { all: 1 } }] }, 'datasets[0].rows to be of train, valid and test, not all'],
  [{ ...TABLE, datasets: [{ ...dataset, rows: { test: '8' } }] }, 'datasets[0].rows.test to be a whole number'],
  [{ ...TABLE, datasets: [{ ...dataset, items: -1 }] }, 'datasets[0].items to be a whole number'],
  [rowOf(null), 'rows[1] to be an object'],
  [rowOf({ model: 'A', published: {} }), 'rows[1] to be a row with either run or needs'],
  [rowOf({ model: 'A', needs: 1, published: {} }), 'rows[1].needs to be a text'],
  [rowOf({ model: 'A', needs: 'B', command: [], published: {} }), 'rows[1].command to be a text'],
  [rowOf({ model: 'A', needs: 'B' }), 'rows[1].published to be an object, by data set and metric; {} where nothing is'],
  [runOf(null), 'rows[1].run to be an object of baseline or stage'],
  [runOf({}), 'rows[1].run to be of either baseline or stage'],
  [runOf({ baseline: 'sasrec', stage: 'sft' }), 'rows[1].run to be of either baseline or stage'],
  [runOf({ baseline: 'luck' }), 'rows[1].run.baseline to be one of popularity, '],
  [runOf({ stage: 'dpo' }), 'rows[1].run.stage to be one of sft, grpo, not dpo'],
  [runOf({ stage: 'sft', options: { epoch: 1 } }), 'rows[1].run.options to be options of sft, not epoch (did you mean epochs?)'],
  [runOf({ stage: 'sft', options: { groups: 1 } }), 'rows[1].run.options to be options of sft, not groups'],
  [runOf({ stage: 'grpo', options: { betas: 1 } }), 'rows[1].run.options to be options of grpo, not betas'],
  [runOf({ stage: 'sft', options: { epochs: 'all' } }), 'rows[1].run.options.epochs to be a '],
  [runOf({ stage: 'sft', options: { seed: 1 } }), 'rows[1].run.options to be options of sft, not seed'],
  [runOf({ stage: 'sft', options: { threads: 1 } }), 'rows[1].run.options to be options of sft, not threads'],
  [runOf({ stage: 'sft', options: { templates: 'mine.json' } }), 'rows[1].run.options to be options of sft, not templates'],
  [runOf({ stage: 'sft', options: [] }), 'rows[1].run.options to be an object'],
  [runOf({ stage: 'sft', excludeHistory: false }), 'rows[1].run.excludeHistory to be true, or left out'],
  [runOf({ baseline: 'popularity', excludeHistory: 1 }), 'rows[1].run.excludeHistory to be true, or left out'],
  [optionsOf(null), 'rows[1].run.options to be an object'],
  [optionsOf({ wdith: 1 }), 'rows[1].run.options to be options of sasrec, not wdith (did you mean width?)'],
  [optionsOf({ hidden: 1 }), 'rows[1].run.options to be options of sasrec, not hidden'],
  [optionsOf({ seed: 1 }), 'rows[1].run.options to be options of sasrec, not seed'],
  [optionsOf({ toString: 1 }), 'rows[1].run.options to be options of sasrec, not toString'],
  [optionsOf({ width: 1 }, 'popularity'), 'rows[1].run.options to be empty: popularity has none'],
  [optionsOf({ negatives: 4 }), 'rows[1].run.options to be options that go together (baseline: --negatives: expected --loss binary'],
  [optionsOf({ width: '64' }), 'rows[1].run.options.width to be a whole number of 1 or more'],
  [rowOf({ ...TABLE.rows[0], published: { Elsewhere: {} } }), 'rows[1].published to be of the data sets, not Elsewhere'],
  [rowOf({ ...TABLE.rows[0], published: { Toys: null } }), 'rows[1].published.Toys to be an object, by metric'],
  [rowOf({ ...TABLE.rows[0], published: { Toys: { 'HR@5': 0.1 } } }), 'rows[1].published.Toys to be of the metrics, not HR@5'],
  ...[25, -0.1, '0.5', null, [], [0.1], [0.1, 0.2, 0.3], [0.3, 0.2], ['0.1', '0.2'], [null, 1]].map((value): [unknown, string] => [publishedOf(value), shares]),
])('%#', (table, message) => {
  const parse = () => parsePaperTable(table, 'mine.json');
  expect(parse).toThrow(InputError);
  expect(parse).toThrow(`mine.json: expected ${message}`);
  expect(parse).toThrow(/^[^\n]*; mend the table$/);
}); // prettier-ignore

test.each([
  TABLE,
  publishedOf([0.2, 0.2]),
  publishedOf(0),
  runOf({ stage: 'grpo' }),
  optionsOf({ schedule: 'constant', width: 32, historyLength: 4 }),
  optionsOf({ heights: [2, 3] }, 'caser'),
  optionsOf({ index: 'other.json' }, 'tiger'),
])('what fits is taken as it is (%#)', (table) => {
  expect(parsePaperTable(table, 'mine.json')).toBe(table);
});
