/** Whether a value is a paper table: the first field that does not fit is named. */
import { BASELINE_OPTIONS } from '../baselines/baseline-options.js';
import { BASELINE_NAMES, type BaselineName, baselineOf } from '../baselines/baselines.js';
import { nearest } from '../options/nearest.js';
import type { Options } from '../options/option.js';
import { InputError } from '../support/errors.js';
import { stageOptions, type TableStage } from './stage-options.js';

/** Makes the error. @param what a field is expected to be */
type Bad = (field: string, what: string) => InputError;
type Fields = Readonly<Record<string, unknown>>;

/** What a run of a language model is of. */
const STAGES: readonly unknown[] = ['sft', 'grpo'];
/** Options that a table cannot say: `--seeds` does, and where runs go. */
const NOT_IN_TABLES = ['seed', 'run', 'again', 'keep'];

/** @throws what `bad` makes */
export function checkTable(value: unknown, bad: Bad): void {
  const table = fieldsOf(value, 'it', 'an object', bad);
  for (const field of ['title', 'source']) if (typeof table[field] !== 'string') throw bad(field, 'a text');
  if (table.claim !== undefined && typeof table.claim !== 'string') throw bad('claim', 'a text');
  const lists = ['metrics', 'datasets', 'rows'].map((field): readonly unknown[] => {
    const list = table[field];
    if (!Array.isArray(list) || list.length === 0) throw bad(field, 'a list of one or more');
    return list;
  });
  const [metrics, datasets, rows] = lists as [unknown[], unknown[], unknown[]];
  for (const metric of metrics) {
    const fits = typeof metric === 'string' && /^(HR|NDCG)@[1-9]\d*$/.test(metric);
    if (!fits) throw bad('metrics', `such as HR@10 or NDCG@10, not ${String(metric)}`);
  }
  const names = datasets.map((dataset, i) => checkDataset(dataset, `datasets[${i}]`, bad));
  rows.forEach((row, i) => checkRow(row, `rows[${i}]`, { metrics, names }, bad));
}

/** @returns its name */
function checkDataset(value: unknown, at: string, bad: Bad): string {
  const { name, label, rows, items } = fieldsOf(value, at, 'an object of name, label and rows', bad);
  if (typeof name !== 'string' || typeof label !== 'string') throw bad(at, 'an object of name, label and rows');
  const counts = Object.entries(fieldsOf(rows, `${at}.rows`, 'an object of train, valid and test', bad));
  for (const [split, count] of counts) {
    if (!['train', 'valid', 'test'].includes(split)) throw bad(`${at}.rows`, `of train, valid and test, not ${split}`);
    if (!isCount(count)) throw bad(`${at}.rows.${split}`, 'a whole number');
  }
  if (items !== undefined && !isCount(items)) throw bad(`${at}.items`, 'a whole number');
  return name;
}

function checkRow(value: unknown, at: string, columns: { metrics: unknown[]; names: string[] }, bad: Bad): void {
  const { model, run, needs, command, published } = fieldsOf(value, at, 'an object', bad);
  if (typeof model !== 'string') throw bad(`${at}.model`, 'a text');
  if ((run === undefined) === (needs === undefined)) throw bad(at, 'a row with either run or needs');
  for (const [name, text] of Object.entries({ needs, command })) {
    if (text !== undefined && typeof text !== 'string') throw bad(`${at}.${name}`, 'a text');
  }
  if (run !== undefined) checkRun(run, `${at}.run`, bad);
  checkPublished(published, `${at}.published`, columns, bad);
}

function checkRun(value: unknown, at: string, bad: Bad): void {
  const { baseline, stage, options, excludeHistory } = fieldsOf(value, at, 'an object of baseline or stage', bad);
  if ((baseline === undefined) === (stage === undefined)) throw bad(at, 'of either baseline or stage');
  if (excludeHistory !== undefined && excludeHistory !== true) throw bad(`${at}.excludeHistory`, 'true, or left out');
  if (baseline === undefined) {
    if (!STAGES.includes(stage)) throw bad(`${at}.stage`, `one of ${STAGES.join(', ')}, not ${String(stage)}`);
    if (options !== undefined) checkStageOptions(options, `${at}.options`, stage as TableStage, bad);
    return;
  }
  if (!(BASELINE_NAMES as readonly unknown[]).includes(baseline)) {
    throw bad(`${at}.baseline`, `one of ${BASELINE_NAMES.join(', ')}, not ${String(baseline)}`);
  }
  if (options !== undefined) checkOptions(options, `${at}.options`, baseline as BaselineName, bad);
}

/** Files whose contents a run notes, and not their names: no run would be found by these. */
const NOTED_OTHERWISE = ['templates', 'preferences'];

/** Of a stage its result's options, as a run notes them. */
function checkStageOptions(value: unknown, at: string, stage: TableStage, bad: Bad): void {
  const noted = Object.entries(stageOptions(stage)).filter(
    ([name, { affectsResult }]) => affectsResult && !NOTED_OTHERWISE.includes(name),
  );
  checkKnown(value, at, { of: stage, options: Object.fromEntries(noted) }, bad);
}

function checkKnown(value: unknown, at: string, { of, options }: { of: string; options: Options }, bad: Bad): void {
  const declared = Object.entries(options);
  const known = new Map(declared.filter(([name, { data }]) => data && !NOT_IN_TABLES.includes(name)));
  for (const [name, given] of Object.entries(fieldsOf(value, at, 'an object', bad))) {
    const option = known.get(name);
    if (!option) {
      const close = nearest(name, [...known.keys()]);
      const mend = close === undefined ? '' : ` (did you mean ${close}?)`;
      throw bad(at, known.size === 0 ? `empty: ${of} has none` : `options of ${of}, not ${name}${mend}`);
    }
    const expected = option.mismatch(given);
    if (expected !== undefined) throw bad(`${at}.${name}`, expected);
  }
}

function checkOptions(value: unknown, at: string, baseline: BaselineName, bad: Bad): void {
  checkKnown(value, at, { of: baseline, options: baselineOf(baseline).options ?? {} }, bad);
  try {
    BASELINE_OPTIONS.parse({ ...(value as object), baseline, data: 'DIR' });
  } catch (error) {
    throw error instanceof InputError ? bad(at, `options that go together (${error.message})`) : error;
  }
}

function checkPublished(
  value: unknown,
  at: string,
  { metrics, names }: { metrics: unknown[]; names: string[] },
  bad: Bad,
): void {
  const published = fieldsOf(value, at, 'an object, by data set and metric; {} where nothing is', bad);
  for (const [dataset, values] of Object.entries(published)) {
    if (!names.includes(dataset)) throw bad(at, `of the data sets, not ${dataset}`);
    const of = fieldsOf(values, `${at}.${dataset}`, 'an object, by metric', bad);
    for (const [metric, share] of Object.entries(of)) {
      if (!metrics.includes(metric)) throw bad(`${at}.${dataset}`, `of the metrics, not ${metric}`);
      if (!isPublished(share)) throw bad(`${at}.${dataset}.${metric}`, 'a share from 0 to 1, or two in rising order');
    }
  }
}

function isPublished(value: unknown): boolean {
  const isShare = (x: unknown): x is number => typeof x === 'number' && x >= 0 && x <= 1;
  if (!Array.isArray(value)) return isShare(value);
  return value.length === 2 && value.every(isShare) && value[0]! <= value[1]!;
}

function isCount(value: unknown): boolean {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

function fieldsOf(value: unknown, at: string, what: string, bad: Bad): Fields {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw bad(at, what);
  return value as Fields;
}
