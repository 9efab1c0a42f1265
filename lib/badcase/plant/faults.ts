/**
 * Faults planted into a sample shop, one at a time, each with the cause that the analysis of bad cases is to name. A fault
 * is a pure function of a shop and a seed: it changes the rows that a model is trained on, the rows that are asked, or the
 * semantic IDs, in a part of them only, so that the part with the fault can be told from the other one.
 */
import type { Dataset, Row } from '../../data/dataset.js';
import { sidTokens, type SidIndex } from '../../data/sid-index.js';
import type { RankOptions } from '../../evaluate/evaluate-options.js';
import type { Result } from '../../evaluate/result.js';
import { Random } from '../../support/random.js';

/** A shop: items, rows and semantic IDs. */
export interface Shop {
  dataset: Dataset;
  index: SidIndex;
}

/** A shop with a fault in it. */
export interface PlantedShop extends Shop {
  /** Rows that the model is trained on, where they are others than those that the analysis is given. */
  trainedOn?: Row[];
  /** True where the model of the shop without a fault answers: only what it is asked is another. */
  controlModel?: boolean;
  /** How its rows are ranked, where that is not the default. */
  evaluated?: Pick<RankOptions, 'sharedSids'>;
  /** What is done to the lists that the model made. */
  rerank?: (results: readonly Result[]) => Result[];
}

/** A fault. */
export interface Fault {
  /** Name of the detector that is to be named first; null for the control. */
  cause: string | null;
  /** What is done, in one line. */
  what: string;
  /** True where lists are changed, not rows or SIDs: there is nothing to write before a model has ranked. */
  inLists?: boolean;
  /** @returns the shop with the fault; the one that is given stays as it is */
  plant(shop: Shop, seed: number): PlantedShop;
}

/** Share of the items, or of the rows asked, that a fault is planted into. */
const PART = 0.5;
/** Codes from here on are those of no item of the shop. */
const FALLEN = 500;
/** Nats that an item gains where it is bought e times as often. */
const PUSH = 2;

/** By name. */
export const FAULTS: Readonly<Record<string, Fault>> = {
  control: { cause: null, what: 'nothing', plant: (shop) => shop },
  'cold-start': {
    cause: 'cold start',
    what: 'a part of the items is taken out of the training rows',
    plant({ dataset, index }, seed) {
      const hidden = someItems(dataset, `cold ${seed}`, 0.35);
      return { dataset: { ...dataset, train: withoutItems(dataset.train, hidden) }, index };
    },
  },
  'collapsed-codebook': {
    cause: 'crowded code',
    what: 'the items of some departments get the same first code, and below it codes at random',
    plant({ dataset, index }, seed) {
      const items = new Random(`collapsed ${seed}`).shuffle(someDepartments(dataset, `collapsed ${seed}`));
      const side = Math.ceil(Math.sqrt(items.length));
      const collapsed = [...index];
      items.forEach((item, i) => {
        collapsed[item] = sidTokens([FALLEN, FALLEN + Math.floor(i / side), FALLEN + (i % side)]);
      });
      return { dataset, index: collapsed };
    },
  },
  'dealt-histories': {
    cause: 'history does not fit',
    what: "half of the rows asked get another row's history",
    plant({ dataset, index }, seed) {
      const rows = [...someRows(dataset, `dealt ${seed}`)];
      const test = [...dataset.test];
      rows.forEach((row, i) => {
        const other = dataset.test[rows[(i + 1) % rows.length]!]!;
        test[row] = { ...test[row]!, history: other.history };
      });
      return { dataset: { ...dataset, test }, index, controlModel: true };
    },
  },
  'shared-sids': {
    cause: 'ambiguous SID',
    what: 'the items of some departments have one SID a department',
    plant({ dataset, index }, seed) {
      const department = departments(dataset);
      const shared = [...index];
      // what collides is alike, as with every quantizer: items that share a SID at random spoil the lists of all users
      for (const item of someDepartments(dataset, `shared ${seed}`)) {
        shared[item] = index[department.indexOf(department[item]!)]!;
      }
      return { dataset, index: shared, evaluated: { sharedSids: 'split' } };
    },
  },
  'one-item-users': {
    cause: 'short history',
    what: 'half of the rows asked keep one item of their history',
    plant({ dataset, index }, seed) {
      const cut = someRows(dataset, `short ${seed}`);
      const test = dataset.test.map((row, i) => (cut.has(i) ? { ...row, history: row.history.slice(-1) } : row));
      return { dataset: { ...dataset, test }, index, controlModel: true };
    },
  },
  'old-rows': {
    cause: 'drift',
    what: 'a third of the items come halfway through the training rows, and the model is trained on the first half',
    plant({ dataset, index }, seed) {
      const fresh = someItems(dataset, `drift ${seed}`, 0.35);
      const half = Math.floor(dataset.train.length / 2);
      const before = withoutItems(dataset.train.slice(0, half), fresh);
      const train = [...before, ...dataset.train.slice(half)];
      return { dataset: { ...dataset, train }, index, trainedOn: before };
    },
  },
  'popularity-pushed': {
    cause: 'popularity bias',
    what: 'half of the lists are ranked by score and popularity',
    inLists: true,
    plant({ dataset, index }, seed) {
      const counts = new Map<number, number>();
      for (const { target } of dataset.train) counts.set(target, (counts.get(target) ?? 0) + 1);
      const pushed = someRows(dataset, `pushed ${seed}`);
      const gain = (item: number): number => PUSH * Math.log1p(counts.get(item) ?? 0);
      const rerank = (results: readonly Result[]): Result[] =>
        results.map((result, row) => {
          if (!pushed.has(row)) return result;
          const scored = result.items.map((item, i) => ({ item, score: result.scores[i]! + gain(item) }));
          scored.sort((a, b) => b.score - a.score || a.item - b.item);
          return { ...result, items: scored.map(({ item }) => item), scores: scored.map(({ score }) => score) };
        });
      return { dataset, index, controlModel: true, rerank };
    },
  },
};

/** Those that are planted into rows or SIDs. */
export const PLANTABLE = Object.keys(FAULTS).filter((name) => !FAULTS[name]!.inLists);

/** Items drawn at random that are about this share of all. */
function someItems({ items }: Dataset, seed: string, share: number): Set<number> {
  const drawn = new Random(`items ${seed}`).shuffle([...items.keys()]);
  return new Set(drawn.slice(0, Math.round(share * items.length)));
}

/** Items of departments drawn at random, in order of id, until they are more than two fifths of all. */
function someDepartments(dataset: Dataset, seed: string): number[] {
  const { items } = dataset;
  const department = departments(dataset);
  const names = new Random(`departments ${seed}`).shuffle([...new Set(department)].sort());
  let chosen: number[] = [];
  while (chosen.length <= 0.4 * items.length) {
    const taken = new Set(names.splice(0, 1).concat(chosen.map((item) => department[item]!)));
    chosen = [...items.keys()].filter((item) => taken.has(department[item]!));
  }
  return chosen;
}

/** Department of each item; the first of its categories is the shop. */
function departments({ items }: Dataset): string[] {
  return items.map(({ categories }) => categories.split(', ')[1] ?? categories);
}

/** Places of a part of the rows asked, drawn at random and in that order. */
function someRows({ test }: Dataset, seed: string): Set<number> {
  return new Set(new Random(`rows ${seed}`).shuffle([...test.keys()]).slice(0, Math.floor(PART * test.length)));
}

/** Rows with other targets, and without the items in their histories; a row whose history is empty then goes. */
function withoutItems(rows: readonly Row[], hidden: ReadonlySet<number>): Row[] {
  return rows
    .filter(({ target }) => !hidden.has(target))
    .map((row) => ({ ...row, history: row.history.filter((item) => !hidden.has(item)) }))
    .filter(({ history }) => history.length > 0);
}
