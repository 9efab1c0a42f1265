/** The options of `filter`, and the rules that the filter makes of them. */
import { boolean, choice, custom, integer, path, text, texts } from '../../options/kinds.js';
import { defineOptions, type Given, type OptionsOf, type SettingsOf } from '../../options/schema.js';
import { InputError } from '../../support/errors.js';
import type { ColumnMap } from '../raw/columns.js';
import { RAW_FORMATS } from '../raw/format-names.js';
import { monthStart } from './months.js';

/** How rows are split, see `splitRows`. */
export const SPLIT_RULES = ['chronological', 'leave-one-out'] as const;
/** `chronological`: 8:1:1 of all rows in order of time; `leave-one-out`: a user's last row tests, the one before validates. */
export type SplitRule = (typeof SPLIT_RULES)[number];

const RULES = {
  userK: integer('fewest interactions of a user; a user with one gives no row anyway', { default: 5 }),
  itemK: integer('fewest interactions of an item', { default: 5 }),
  from: text('first month (UTC), such as 1996-10, or any', {
    otherwise: '1996-10 for Amazon 2014 and 2018, else any',
  }),
  to: text('last month, included, or any', { otherwise: '2018-10 for Amazon 2014 and 2018, else any' }),
  minItems: integer('while fewer items are left, move the first month back by a year (0: never)', {
    default: 0,
    min: 0,
  }),
  window: integer('longest history, in items', { otherwise: '10, with leave-one-out 20' }),
  split: choice(SPLIT_RULES, '8:1:1 of all rows in order of time, or leave-one-out', { default: 'chronological' }),
  titleWords: integer('words of a title at most; a longer one drops the item', { default: 20 }),
};

/** From before to: an empty range would drop everything. */
function checkMonths({ from, to }: { from?: string; to?: string }): void {
  rangeOf(from ?? 'any', to ?? 'any');
}

/** Declares what decides which interactions and items are kept. */
export const FILTER_RULES = defineOptions('filter', RULES, { rules: [checkMonths] });

/** What is kept, and how rows are made of it. */
export interface FilterOptions extends OptionsOf<typeof FILTER_RULES> {}

const TEXTS = {
  plainText: boolean('take HTML tags out of item texts and decode entities (&amp;)', {
    otherwise: 'yes, for published item files (inter-json) no',
  }),
};

/** The filter's options that concern item texts. */
export interface TextOptions extends Given<typeof TEXTS> {}

const columnsOption = (help: string, otherwise: string) =>
  custom<ColumnMap | string>(help, {
    otherwise,
    mismatch: (value) =>
      typeof value === 'string' || (typeof value === 'object' && value !== null && !Array.isArray(value))
        ? undefined
        : 'a text such as user=customer,item=sku, or an object of columns by role',
    schema: { type: ['string', 'object'] },
  });

/** Declares the options of `filter`: its files, and `FILTER_RULES`. */
export const FILTER_OPTIONS = defineOptions(
  'filter',
  {
    reviews: path('interactions in any raw format, plain or gzip: a file, a folder, or a pattern as "part-*.json.gz"', {
      required: true,
      affectsResult: false,
    }),
    meta: path('item texts, likewise', { otherwise: 'none: titles are placeholders', affectsResult: false }),
    format: choice(RAW_FORMATS, 'format of both files', { otherwise: 'detected from each' }),
    columns: columnsOption('columns of csv and parquet: user=customer,item=sku,time=bought_at', 'usual names'),
    metaColumns: columnsOption('columns of meta, where they are others than those of reviews', 'columns'),
    encoding: text('encoding of both files, such as latin1 or gbk', { otherwise: 'UTF-8 or UTF-16, detected' }),
    ...TEXTS,
    keepFields: texts('other fields of JSON item texts to keep: image,price', {
      otherwise: 'of a published item file all, else none',
    }),
    reviewTexts: boolean("also write what users wrote, to NAME.review.json (Amazon's formats)"),
    spillRows: integer('interactions held in memory; more go to temporary files in the output folder', {
      default: 20_000_000,
      affectsResult: false,
    }),
    out: path('folder to write to', { required: true, affectsResult: false }),
    dataset: text('NAME of the files: letters, digits, _ - and .', { required: true, affectsResult: false }),
    ...RULES,
  },
  { rules: [checkMonths, checkName] },
);

/** Options of `filterStage`. */
export interface FilterStageOptions extends OptionsOf<typeof FILTER_OPTIONS> {}

/** A name becomes part of file names. */
function checkName({ dataset }: { dataset: string }): void {
  if (/^[\w-][\w.-]*$/.test(dataset)) return;
  throw new InputError(
    `filter: expected dataset to be a name of letters, digits, _ - and (not first) ., got ${dataset}`,
  );
}

/** Options with every default filled in. */
export interface Rules extends SettingsOf<typeof FILTER_RULES> {
  from: string;
  to: string;
  window: number;
  /** Seconds, included. */
  start: number;
  /** Seconds, excluded. */
  end: number;
}

/** @param months bounds where none are given; default the reference's @throws InputError for an option out of range */
export function filterRules(options: FilterOptions, months = { from: '1996-10', to: '2018-10' }): Rules {
  const settings = FILTER_RULES.parse(options);
  const { split, from = months.from, to = months.to, window = split === 'leave-one-out' ? 20 : 10 } = settings;
  return { ...settings, from, to, window, ...rangeOf(from, to) };
}

function rangeOf(from: string, to: string): { start: number; end: number } {
  const start = from === 'any' ? -Infinity : monthStart(from, 'from');
  const end = to === 'any' ? Infinity : monthStart(to, 'to', 1);
  if (start >= end) throw new InputError(`filter: expected from to come before to, got ${from} and ${to}`);
  return { start, end };
}

/** The same rules, a year earlier. */
export function widened(rules: Rules): Rules {
  const from = `${String(Number(rules.from.slice(0, 4)) - 1).padStart(4, '0')}${rules.from.slice(4)}`;
  return { ...rules, from, start: monthStart(from, 'from') };
}
