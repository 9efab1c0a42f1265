/**
 * A data folder in memory: items and the three splits, as the later stages read them.
 *
 * Files (MiniOneRec's): `NAME.item.json`, `NAME.{train,valid,test}.inter`; item ids are 0 .. items - 1.
 */
import type { Part } from './join/part.js';

/** Text of an item; every field may be empty but the title. */
export interface Item {
  /** On one line. */
  title: string;
  /** May be empty. */
  description: string;
  /** May be empty. */
  brand: string;
  /** Joined by commas; may be empty. */
  categories: string;
  /** Other fields of the item's file, as they were read: `enhanced_title`, `tags`, `image`, ... */
  extra?: Readonly<Record<string, unknown>>;
}

/** One interaction to be predicted from those before it. */
export interface Row {
  /** Name of the user. */
  user: string;
  /** Item ids, oldest first, at least one. */
  history: number[];
  /** Item id. */
  target: number;
}

/** A part of the rows. */
export type Split = 'train' | 'valid' | 'test';
/** The parts of the rows: training, validation, test. */
export const SPLITS = ['train', 'valid', 'test'] as const satisfies readonly Split[];

/** A data folder in memory: the items, and the rows of each split. */
export interface Dataset {
  /** NAME of its files. */
  name: string;
  /** Data folder. */
  dir: string;
  /** Index = item id. */
  items: Item[];
  /** Rows of training. */
  train: Row[];
  /** Rows of validation. */
  valid: Row[];
  /** Rows of the test. */
  test: Row[];
  /** The data sets that were joined, where the folder is of several. */
  parts?: readonly Part[];
  /** Of one of them: SHA-256 of the files that it came from, by name. */
  sources?: Readonly<Record<string, string>>;
}
