/**
 * Byte-pair encoding trained on texts (Sennrich, Haddow & Birch, arXiv 1508.07909) over GPT-2's byte alphabet: the
 * most frequent pair of neighbours becomes a token, again and again. Any text can be spelled; none needs an unknown
 * token.
 *
 * Same rules as `BpeTrainer` of Hugging Face's tokenizers, and the same merges: pieces by GPT-2's pattern, the alphabet
 * in the order of its characters, equally frequent pairs by the smaller ids. Counts are kept up to date merge by merge,
 * only in the words that hold the pair.
 */
import { BYTE_CHARACTERS, GPT2_PIECES } from './byte-alphabet.js';

/** Options of `trainBpe`. */
export interface BpeOptions {
  /** Tokens at most, the 256 bytes and `reserved` included; fewer where the texts give no more. Default 8192. */
  vocabSize?: number;
  /** Ids kept free before the alphabet's. Default 1, for the end of text. */
  reserved?: number;
  /** Occurrences that a pair needs. Default 2. */
  minFrequency?: number;
}

/** A byte-pair vocabulary. */
export interface Bpe {
  /** Token -> id, from `reserved` on. */
  vocab: Map<string, number>;
  /** Pairs in the order in which they were merged. */
  merges: [string, string][];
}

/** Default number of tokens of a byte-pair vocabulary. */
export const BPE_VOCABULARY = 8192;

/** @throws RangeError for a vocabulary that does not hold the bytes */
export function trainBpe(texts: Iterable<string>, options: BpeOptions = {}): Bpe {
  const { vocabSize = BPE_VOCABULARY, reserved = 1, minFrequency = 2 } = options;
  if (!Number.isInteger(vocabSize) || vocabSize < reserved + 256) {
    throw new RangeError(`trainBpe: expected vocabSize of at least ${reserved + 256}, the bytes, got ${vocabSize}`);
  }
  const tokens = [...BYTE_CHARACTERS].sort((a, b) => a.codePointAt(0)! - b.codePointAt(0)!);
  const vocab = new Map(tokens.map((token, i) => [token, reserved + i]));
  const state = new Pairs(countPieces(texts), vocab);
  const merges: [string, string][] = [];
  while (reserved + tokens.length < vocabSize) {
    const best = state.best();
    if (!best || best.count < minFrequency) break;
    const [left, right] = [tokens[best.left - reserved]!, tokens[best.right - reserved]!];
    let id = vocab.get(left + right);
    if (id === undefined) {
      id = reserved + tokens.push(left + right) - 1;
      vocab.set(left + right, id);
    }
    merges.push([left, right]);
    state.merge(best.left, best.right, id);
  }
  return { vocab, merges };
}

/** How often each piece comes, spelled in the byte alphabet; in the order of first occurrence. */
function countPieces(texts: Iterable<string>): Map<string, number> {
  const pieces = new Map<string, number>();
  for (const text of texts) {
    for (const [piece] of text.matchAll(GPT2_PIECES)) pieces.set(piece, (pieces.get(piece) ?? 0) + 1);
  }
  return pieces;
}

/** @example spellBytes('é ') // 'Ã©Ġ' */
export function spellBytes(text: string): string {
  return [...new TextEncoder().encode(text)].map((byte) => BYTE_CHARACTERS[byte]!).join('');
}

interface Candidate {
  left: number;
  right: number;
  count: number;
}

/** Ids are below 2^21, so that a pair is a safe integer. */
const SHIFT = 2 ** 21;

/** Neighbouring pairs of all words, how often each comes, and in which words. */
class Pairs {
  private readonly words: number[][] = [];
  private readonly weights: number[] = [];
  private readonly counts = new Map<number, number>();
  private readonly places = new Map<number, Set<number>>();
  /** A heap with the best first; entries whose count has changed since are put right when they surface. */
  private readonly heap: Candidate[] = [];

  constructor(pieces: ReadonlyMap<string, number>, vocab: ReadonlyMap<string, number>) {
    for (const [piece, weight] of pieces) {
      const word = [...spellBytes(piece)].map((character) => vocab.get(character)!);
      const at = this.words.push(word) - 1;
      this.weights.push(weight);
      for (let i = 0; i + 1 < word.length; i++) this.add(word[i]!, word[i + 1]!, at, weight);
    }
    for (const [key, count] of this.counts) this.push(candidate(key, count));
  }

  best(): Candidate | undefined {
    for (let top = this.pop(); top; top = this.pop()) {
      const count = this.counts.get(top.left * SHIFT + top.right) ?? 0;
      if (count === top.count) return top;
      if (count > 0) this.push({ ...top, count });
    }
    return undefined;
  }

  /** Every `left right` becomes `id`, from the left of each word. */
  merge(left: number, right: number, id: number): void {
    const key = left * SHIFT + right;
    const changed = new Set<number>();
    for (const at of this.places.get(key)!) {
      const word = this.words[at]!;
      const weight = this.weights[at]!;
      const add = (a: number, b: number): void => void changed.add(this.add(a, b, at, weight));
      const merged: number[] = [];
      for (let i = 0; i < word.length; i++) {
        if (word[i] !== left || word[i + 1] !== right) {
          merged.push(word[i]!);
          continue;
        }
        const before = merged.at(-1);
        const after = word[i + 2];
        if (before !== undefined) {
          this.add(before, left, at, -weight);
          add(before, id);
        }
        if (after !== undefined) {
          this.add(right, after, at, -weight);
          add(id, after);
        }
        merged.push(id);
        i++;
      }
      this.words[at] = merged;
    }
    this.counts.delete(key);
    this.places.delete(key);
    for (const pair of changed) {
      const count = this.counts.get(pair);
      if (count) this.push(candidate(pair, count));
    }
  }

  private add(left: number, right: number, at: number, weight: number): number {
    const key = left * SHIFT + right;
    this.counts.set(key, (this.counts.get(key) ?? 0) + weight);
    if (weight > 0) {
      const places = this.places.get(key);
      if (places) places.add(at);
      else this.places.set(key, new Set([at]));
    }
    return key;
  }

  private push(entry: Candidate): void {
    const { heap } = this;
    let at = heap.push(entry) - 1;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (!precedes(entry, heap[parent]!)) break;
      heap[at] = heap[parent]!;
      at = parent;
    }
    heap[at] = entry;
  }

  private pop(): Candidate | undefined {
    const { heap } = this;
    const top = heap[0];
    const last = heap.pop();
    if (heap.length === 0 || !last) return top;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && precedes(heap[child + 1]!, heap[child]!)) child++;
      if (!precedes(heap[child]!, last)) break;
      heap[at] = heap[child]!;
      at = child;
    }
    heap[at] = last;
    return top;
  }
}

function candidate(key: number, count: number): Candidate {
  return { left: Math.floor(key / SHIFT), right: key % SHIFT, count };
}

function precedes(a: Candidate, b: Candidate): boolean {
  return a.count !== b.count ? a.count > b.count : a.left !== b.left ? a.left < b.left : a.right < b.right;
}
