/**
 * What is resampled: users, with the sums of their rows. Users with the same sums are interchangeable, so they form one
 * category, and a resample is how often each category was drawn.
 */
import type { Measures } from '../measures/measure.js';
import type { RowEntry } from '../rows/row-table.js';

/** U users, C categories of users, M measures. */
export interface Units {
  /** Users. */
  count: number;
  /** Users of each category [C], the largest first. */
  sizes: Float64Array;
  /** Rows of a user of each category [C]. */
  rows: Float64Array;
  /** Sum of each measure over the rows of a user of each category [C, M]. */
  sums: Float64Array;
  /** M. */
  measures: number;
}

/** The user of a row that is an item's alone. */
const NOBODY = '';

/**
 * @param rows their users, in the order of the values
 * @param values of each row [rows, M]
 */
export function unitsOf(rows: readonly Pick<RowEntry, 'user'>[], values: Float64Array, measures: number): Units {
  const { of, count } = numberUsers(rows);
  const width = measures + 1;
  const sums = new Float64Array(count * width); // the last column counts the rows
  for (let i = 0; i < rows.length; i++) {
    const at = of[i]! * width;
    for (let m = 0; m < measures; m++) sums[at + m]! += values[i * measures + m]!;
    sums[at + measures]!++;
  }
  return categorise(sums, new Int32Array(count).fill(1), measures);
}

/**
 * The same of measures that only a rank decides, which are taken once of each rank: users whose ranks are the same, in
 * the same order, have the same sums.
 * @param ranks of the rows
 */
export function rankUnits(
  rows: readonly Pick<RowEntry, 'user'>[],
  ranks: ArrayLike<number>,
  measures: readonly ((rank: number) => number)[],
): Units {
  const { of, count } = numberUsers(rows);
  const width = measures.length + 1;
  const sums: number[][] = [new Array<number>(width).fill(0)]; // of some ranks: a state
  const next = new Map<number, number>(); // a state and one rank more
  const states = new Int32Array(count);
  let ranksTo = 1;
  for (let i = 0; i < rows.length; i++) ranksTo = Math.max(ranksTo, ranks[i]! + 1);
  for (let i = 0; i < rows.length; i++) {
    const [rank, state] = [ranks[i]!, states[of[i]!]!];
    const key = state * ranksTo + rank;
    let to = next.get(key);
    if (to === undefined) {
      next.set(key, (to = sums.length));
      const before = sums[state]!;
      sums.push([...measures.map((measure, m) => before[m]! + measure(rank)), before[width - 1]! + 1]);
    }
    states[of[i]!] = to;
  }
  const users = new Map<number, number>(); // of each state, in the order of their first users
  for (const state of states) users.set(state, (users.get(state) ?? 0) + 1);
  const distinct = Float64Array.from([...users.keys()].flatMap((state) => sums[state]!));
  return categorise(distinct, [...users.values()], measures.length);
}

/** Users numbered in the order of their first rows; a row of nobody, as tasks of items have, is by itself. */
function numberUsers(rows: readonly Pick<RowEntry, 'user'>[]): { of: Int32Array; count: number } {
  const users = new Map<string, number>();
  const of = new Int32Array(rows.length);
  let count = 0;
  for (let i = 0; i < rows.length; i++) {
    const { user } = rows[i]!;
    let u = user === NOBODY ? undefined : users.get(user);
    if (u === undefined) {
      u = count++;
      users.set(user, u);
    }
    of[i] = u;
  }
  return { of, count };
}

/** Rows of equal numbers become one category. @param counts users of each row */
function categorise(sums: Float64Array, counts: ArrayLike<number>, measures: number): Units {
  const width = measures + 1;
  const first: number[] = [];
  const sizes: number[] = [];
  const bits = new Int32Array(sums.buffer);
  const found = new Map<number, number[]>();
  const equal = (a: number, b: number): boolean => {
    for (let m = 0; m < width; m++) if (sums[a * width + m] !== sums[b * width + m]) return false;
    return true;
  };
  let users = 0;
  for (let u = 0; u < counts.length; u++) {
    users += counts[u]!;
    let hash = 0;
    for (let w = 2 * u * width; w < 2 * (u + 1) * width; w++) hash = (Math.imul(hash, 31) + bits[w]!) | 0;
    const same = found.get(hash);
    const known = same?.find((c) => equal(first[c]!, u));
    if (known !== undefined) {
      sizes[known]! += counts[u]!;
      continue;
    }
    if (same) same.push(first.length);
    else found.set(hash, [first.length]);
    first.push(u);
    sizes.push(counts[u]!);
  }
  const order = [...first.keys()].sort((a, b) => sizes[b]! - sizes[a]! || a - b);
  const units: Units = {
    count: users,
    measures,
    sizes: Float64Array.from(order, (c) => sizes[c]!),
    rows: Float64Array.from(order, (c) => sums[first[c]! * width + measures]!),
    sums: new Float64Array(order.length * measures),
  };
  order.forEach((c, i) => {
    for (let m = 0; m < measures; m++) units.sums[i * measures + m] = sums[first[c]! * width + m]!;
  });
  return units;
}

/** The measures of each row [rows, M]. */
export function measureRows(table: readonly RowEntry[], measures: Measures): Float64Array {
  const functions = Object.values(measures);
  const values = new Float64Array(table.length * functions.length);
  functions.forEach((measure, m) => {
    for (let i = 0; i < table.length; i++) values[i * functions.length + m] = measure(table[i]!);
  });
  return values;
}

/** Mean of each measure over all rows [M]: of no rows 0. */
export function unitMeans({ sizes, rows, sums, measures }: Units, weights: ArrayLike<number> = sizes): Float64Array {
  const means = new Float64Array(measures);
  let total = 0;
  for (let c = 0; c < sizes.length; c++) {
    const weight = weights[c]!;
    if (weight === 0) continue;
    total += weight * rows[c]!;
    for (let m = 0; m < measures; m++) means[m]! += weight * sums[c * measures + m]!;
  }
  for (let m = 0; m < measures; m++) means[m]! /= Math.max(1, total);
  return means;
}
