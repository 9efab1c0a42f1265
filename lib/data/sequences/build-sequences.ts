/**
 * Sequences of items from one user's rows in any order.
 *
 * A row states one prediction: its target after its history. Rows are taken by falling length of their histories; each
 *   1. states a prediction that a sequence holds in its context, where no row has stated it yet;
 *   2. or continues a sequence that ends with its history, or with the beginning of it (rows between were left out);
 *   3. or begins a sequence of its own.
 * So a prediction is there as often as rows state it, and once where a history alone implies it.
 */
import type { Row } from '../dataset.js';

/** A sequence while rows are added to it. */
interface Sequence {
  items: number[];
  /** Of each item: whether a row has stated its prediction; those that none has are context. */
  stated: boolean[];
  /** Place of the first item: 0 at first, less when items are put before it, so that every item keeps its place. */
  first: number;
}

interface Place {
  sequence: Sequence;
  place: number;
}

/** How many sequences are looked at for a row, the latest first, so that a million sessions take linear time. */
const CANDIDATES = 32;

/** Fewer common items are no sign that two sequences are one. */
const OVERLAP = 2;

/** @returns sequences in the order in which they were begun */
export function buildSequences(rows: readonly Row[]): number[][] {
  const builder = new SequenceBuilder();
  for (const row of [...rows].sort((a, b) => b.history.length - a.history.length)) builder.add(row);
  return builder.finish();
}

class SequenceBuilder {
  private readonly sequences = new Set<Sequence>();
  /** Sequences by their last two items; where they have grown since, by earlier ones. */
  private readonly byEnd = new Map<number, Sequence[]>();
  /** Items of contexts by the item before them and themselves. */
  private readonly unstated = new Map<number, Place[]>();

  add({ history, target }: Row): void {
    if (this.state(history, target)) return;
    const found = this.continued(history);
    if (found) return this.append(found.sequence, history.slice(found.overlap), target);
    const sequence: Sequence = { items: [], stated: [], first: 0 };
    this.sequences.add(sequence);
    this.append(sequence, history, target);
  }

  finish(): number[][] {
    // rows that came late may have shown that two sequences are one
    for (const sequence of [...this.sequences]) this.join(sequence);
    for (const sequence of [...this.sequences]) this.absorb(sequence);
    return [...this.sequences].map(({ items }) => items);
  }

  private append(sequence: Sequence, context: readonly number[], target: number): void {
    const from = sequence.items.length;
    sequence.items.push(...context, target);
    sequence.stated.push(...context.map(() => false), true);
    this.note(sequence, Math.max(1, from), from + context.length);
    push(this.byEnd, key(sequence.items.at(-2)!, target), sequence);
  }

  /** Notes those of the items [from, to) that are context. */
  private note(sequence: Sequence, from: number, to: number): void {
    const { items, stated, first } = sequence;
    for (let i = from; i < to; i++) {
      if (!stated[i]) push(this.unstated, key(items[i - 1]!, items[i]!), { sequence, place: first + i });
    }
  }

  /** Marks a prediction in the context of a sequence as stated; the context grows where the history is longer. */
  private state(history: readonly number[], target: number): boolean {
    const places = this.unstated.get(key(history.at(-1)!, target));
    const found = latest(places, ({ sequence, place }) => agree(sequence.items, place - sequence.first, history));
    if (!found) return false;
    places!.splice(places!.lastIndexOf(found), 1);
    const { sequence, place } = found;
    const i = place - sequence.first;
    sequence.stated[i] = true;
    const more = history.slice(0, Math.max(0, history.length - i));
    if (more.length === 0) return true;
    sequence.items.unshift(...more);
    sequence.stated.unshift(...more.map(() => false));
    sequence.first -= more.length;
    this.note(sequence, 1, more.length + 1);
    return true;
  }

  /** A sequence that a history continues, and how many items of the history it ends with: the most, of the latest. */
  private continued(history: readonly number[]): { sequence: Sequence; overlap: number } | undefined {
    for (let overlap = history.length; overlap >= OVERLAP; overlap--) {
      const sequence = latest(this.byEnd.get(key(history[overlap - 2]!, history[overlap - 1]!)), ({ items }) => {
        return overlap <= items.length && agree(items, items.length, history, overlap);
      });
      if (sequence) return { sequence, overlap };
    }
    return undefined;
  }

  /** Puts a sequence behind one whose end is its beginning. */
  private join(later: Sequence): void {
    for (let overlap = later.items.length - 1; overlap >= OVERLAP; overlap--) {
      const end = key(later.items[overlap - 2]!, later.items[overlap - 1]!);
      const sequence = latest(this.byEnd.get(end), (other) => fits(other, later, other.items.length - overlap));
      if (sequence) return this.merge(sequence, later, sequence.items.length - overlap);
    }
  }

  /** Puts a sequence into one that holds all its items. */
  private absorb(later: Sequence): void {
    const end = key(later.items.at(-2)!, later.items.at(-1)!);
    const offset = ({ sequence, place }: Place): number => place - sequence.first - later.items.length + 1;
    const found = latest(this.unstated.get(end), (place) => fits(place.sequence, later, offset(place)));
    if (found) this.merge(found.sequence, later, offset(found));
  }

  /** Makes one of two sequences. @param offset in the first, where the second begins */
  private merge(sequence: Sequence, later: Sequence, offset: number): void {
    const length = sequence.items.length;
    for (let i = 0; i < later.items.length; i++) {
      if (offset + i >= length) sequence.items.push(later.items[i]!);
      sequence.stated[offset + i] ||= later.stated[i]!;
    }
    this.note(sequence, length, sequence.items.length);
    push(this.byEnd, key(sequence.items.at(-2)!, sequence.items.at(-1)!), sequence);
    this.sequences.delete(later);
    later.items = []; // what refers to it finds nothing from now on
  }
}

/** The latest of some candidates that passes. */
function latest<T>(candidates: readonly T[] = [], passes: (candidate: T) => boolean): T | undefined {
  const oldest = Math.max(0, candidates.length - CANDIDATES);
  for (let c = candidates.length - 1; c >= oldest; c--) if (passes(candidates[c]!)) return candidates[c];
  return undefined;
}

/** Whether the last items before place `i` are the last ones of a history's first `length`, as far as both go. */
function agree(items: readonly number[], i: number, history: readonly number[], length = history.length): boolean {
  for (let back = Math.min(i, length); back > 0; back--) if (items[i - back] !== history[length - back]) return false;
  return true;
}

/** Whether a sequence agrees with another that begins at an offset in it, and no prediction is stated in both. */
function fits(sequence: Sequence, later: Sequence, offset: number): boolean {
  if (sequence === later || offset < 0) return false;
  const common = Math.min(later.items.length, sequence.items.length - offset);
  for (let i = 0; i < common; i++) {
    if (sequence.items[offset + i] !== later.items[i]) return false;
    if (later.stated[i] && sequence.stated[offset + i]) return false;
  }
  return common >= OVERLAP;
}

/** A pair of item ids in one number; ids of up to 2^26 items stay apart. */
function key(before: number, item: number): number {
  return before * 2 ** 26 + item;
}

function push<K, V>(map: Map<K, V[]>, at: K, value: V): void {
  const list = map.get(at);
  if (list) list.push(value);
  else map.set(at, [value]);
}
