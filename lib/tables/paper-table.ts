/**
 * A paper table as data: rows, data sets, metrics, published values and their source (`lib/tables/NAME.json`, or a file
 * of one's own). A published value is a number, or the ends of a range where sources differ.
 */
import type { BaselineName } from '../baselines/baselines.js';
import { readJson } from '../files/files.js';
import { InputError } from '../support/errors.js';
import beauty from './beauty.json' with { type: 'json' };
import { checkTable } from './check-table.js';
import minionerec from './minionerec.json' with { type: 'json' };
import quickStart from './quick-start.json' with { type: 'json' };
import type { TableStage } from './stage-options.js';

/** A published value; of a range its ends. */
export type Published = number | readonly [low: number, high: number];

/** A data set of a table. */
export interface PaperDataset {
  /** NAME of the data folder's files. */
  name: string;
  /** What the paper calls it. */
  label: string;
  /** Rows of the splits that the published values are of; measured values on others are not comparable. */
  rows: Partial<Record<'train' | 'valid' | 'test', number>>;
  /** Items of the catalogue. */
  items?: number;
}

/** By option. */
type RowOptions = Readonly<Record<string, string | number | true | readonly number[]>>;

/** Runs of a baseline. */
export interface BaselineRun {
  baseline: BaselineName;
  /** Of its options those that are not the default. */
  options?: RowOptions;
  /** Ranked without the items of the history. */
  excludeHistory?: true;
}

/** Runs of the language model. */
export interface StageRun {
  stage: TableStage;
  /** Of the stage's options those that such a run is told from others by; of the rest it may have any. */
  options?: RowOptions;
  /** Ranked without the items of the history. */
  excludeHistory?: true;
}

/** A row of a table: a model that the kit can run, or one that needs something. */
export interface PaperRow {
  /** What the paper calls it. */
  model: string;
  /** Which runs of a data folder are it: a baseline's, or the language model's of a stage. */
  run?: BaselineRun | StageRun;
  /** What is missing here, where it cannot be run. */
  needs?: string;
  /** The command that would make it, with DIR for the data folder. */
  command?: string;
  /** By data set and metric. */
  published: Readonly<Record<string, Readonly<Record<string, Published>>>>;
}

/** A table of published values. */
export interface PaperTable {
  title: string;
  /** Where the published values are from. */
  source: string;
  /** What is to be known of the published values, such as that nobody measured them. */
  claim?: string;
  /** `HR@10` and the like, in the order of the columns. */
  metrics: readonly string[];
  datasets: readonly PaperDataset[];
  rows: readonly PaperRow[];
}

const TABLES: Readonly<Record<string, unknown>> = { minionerec, beauty, 'quick-start': quickStart };

/** Names of the tables that the kit has. */
export const TABLE_NAMES: readonly string[] = Object.keys(TABLES);

/** @param name of the kit's, or a file of the same form @throws InputError for what is neither, or does not fit */
export function paperTable(name: string): PaperTable {
  if (Object.hasOwn(TABLES, name)) return parsePaperTable(TABLES[name], name);
  if (name.endsWith('.json')) return parsePaperTable(readJson(name, 'check the path'), name);
  throw new InputError(`table: expected one of ${TABLE_NAMES.join(', ')}, or a file NAME.json, got ${name}`);
}

/** @param where for the error @throws InputError for the first field that does not fit */
export function parsePaperTable(value: unknown, where: string): PaperTable {
  checkTable(value, (field, what) => new InputError(`${where}: expected ${field} to be ${what}; mend the table`));
  return value as PaperTable;
}
