/** The `convert` stage: data folder and index -> MiniOneRec's `{train,valid,test}/NAME.csv` and `info/NAME.txt`. */
import { join } from 'node:path';
import { writeAllAtomic } from '../files/files.js';
import { CONVERT_OPTIONS, type ConvertOptions } from './convert-options.js';
import { convertedLines, infoLines } from './converted-files.js';
import { type Row, type Split, SPLITS } from './dataset.js';
import { interRows } from './inter-file.js';
import { readItems } from './item-file.js';
import { findName, indexOf } from './load.js';
import { drawRows, longestRows } from './sample-rows.js';
import { readIndex } from './sid-index.js';

/** What convert_dataset.py puts behind NAME whatever the dates are, and sft.sh looks for (`NAME*11.csv`). */
const MINIONEREC_SUFFIX = '_5_2016-10-2018-11';

/** What `convert` gives back: items, rows of each split, and the files that were written. */
export interface ConvertReport {
  /** Items of the catalogue. */
  items: number;
  /** Rows. */
  split: Record<Split, number>;
  /** Files that were written. */
  files: string[];
  /** Of the stage. */
  seconds: number;
}

/** @throws InputError for bad input, such as an index that lacks an item; nothing is written then */
export async function convert(options: ConvertOptions): Promise<ConvertReport> {
  const start = performance.now();
  const settings = CONVERT_OPTIONS.parse(options);
  const { data: folder, dataset, index: given, out = folder, names, seed } = settings;
  const name = dataset ?? findName(folder);
  const items = readItems(join(folder, `${name}.item.json`));
  const index = readIndex(given ?? indexOf({ dir: folder, name }), items.length);
  // One by one: rows need not fit into memory.
  const read = (split: Split) => () => interRows(join(folder, `${name}.${split}.inter`), items.length);
  const rows: Record<Split, Iterable<Row>> = {
    train: settings.keepLongestOnly ? longestRows(read('train')()) : read('train')(),
    valid: drawRows(read('valid'), settings.maxValidSamples, `${seed}/valid`),
    test: drawRows(read('test'), settings.maxTestSamples, `${seed}/test`),
  };
  const counts = { train: 0, valid: 0, test: 0 };
  const stem = `${name}${names === 'minionerec' ? MINIONEREC_SUFFIX : ''}`;
  // In pieces: 400,000 rows with their titles are longer than a string can be.
  const files: [string, Iterable<string>][] = [
    ...SPLITS.map((split): [string, Iterable<string>] => [
      join(out, split, `${stem}.csv`),
      convertedLines(
        counted(rows[split], () => counts[split]++),
        items,
        index,
      ),
    ]),
    [join(out, 'info', `${stem}.txt`), infoLines(items, index)],
  ];
  writeAllAtomic(files);
  return {
    items: items.length,
    split: counts,
    files: files.map(([path]) => path),
    seconds: (performance.now() - start) / 1000,
  };
}

function* counted(rows: Iterable<Row>, count: () => unknown): Generator<Row> {
  for (const row of rows) {
    count();
    yield row;
  }
}
