/**
 * A data folder in memory: items and the three splits, as the later stages read them.
 *
 * Files (MiniOneRec's): `NAME.item.json`, `NAME.{train,valid,test}.inter`; item ids are 0 .. items - 1.
 */

/** Text of an item; every field may be empty but the title. */
export interface Item {
  title: string;
  description: string;
  brand: string;
  categories: string;
}

/** One interaction to be predicted from those before it. */
export interface Row {
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
  name: string;
  dir: string;
  /** Index = item id. */
  items: Item[];
  train: Row[];
  valid: Row[];
  test: Row[];
}
