/**
 * `NAME.index.json`: item id -> the tokens of its semantic ID, `{"0": ["<a_12>","<b_200>","<c_7>"]}`.
 * (MiniOneRec's and GRec's format.) In memory row = item id.
 *
 * A spelling is a property of the index: codes count from 0 or, as in MiniOneRec's constrained methods, from 1, and
 * OpenOneRec writes `<|sid_begin|><s_a_12><s_b_200><s_c_7><|sid_end|>`. Whatever reads an index takes its tokens as they
 * are; `codeTokens` are those of them that stand for codes.
 */
import { readJson, writeAtomic } from '../files/files.js';
import { InputError } from '../support/errors.js';

/** Tokens of each item's SID; index = item id. Lengths may differ (a rank token), but no SID is another's beginning. */
export type SidIndex = string[][];

/** `[12, 200, 7]` -> `["<a_12>", "<b_200>", "<c_7>"]` */
export function sidTokens(codes: readonly number[]): string[] {
  return codes.map((code, level) => `<${String.fromCharCode(97 + level)}_${code}>`);
}

/** How an index writes codes. */
export const SPELLINGS = ['plain', 'openonerec'] as const;

/** How an index writes its codes, and from where it counts them. */
export interface SidSpelling {
  tokens: (typeof SPELLINGS)[number];
  /** What code 0 is written as. */
  countFrom: number;
}

/** The kit's own. */
export const PLAIN_SPELLING: SidSpelling = { tokens: 'plain', countFrom: 0 };

const [SID_BEGIN, SID_END] = ['<|sid_begin|>', '<|sid_end|>'];

/** `[12, 200]` -> `["<a_12>", "<b_200>"]`, or `["<|sid_begin|>", "<s_a_12>", "<s_b_200>", "<|sid_end|>"]` */
export function spelledTokens(codes: readonly number[], { tokens, countFrom }: SidSpelling): string[] {
  const plain = sidTokens(codes.map((code) => code + countFrom));
  switch (tokens) {
    case 'plain':
      return plain;
    case 'openonerec':
      return [SID_BEGIN, ...plain.map((token) => `<s_${token.slice(1)}`), SID_END];
    default:
      throw new Error(`spelledTokens: unknown spelling ${tokens satisfies never}`);
  }
}

/** The tokens that stand for codes: OpenOneRec's begin and end are left out. */
export function codeTokens(tokens: readonly string[]): string[] {
  return tokens.filter((token) => token !== SID_BEGIN && token !== SID_END);
}

/** How an index is written: OpenOneRec's begin tells it. */
export function tokensOfIndex(index: SidIndex): SidSpelling['tokens'] {
  return index[0]?.[0] === SID_BEGIN ? 'openonerec' : 'plain';
}

/** One line, ids in order, as `json.dump` of Python writes it. @throws InputError as `readIndex` */
export function writeIndex(path: string, index: SidIndex): void {
  checkIndex(index, path);
  writeAtomic(path, indexPieces(index));
}

function* indexPieces(index: SidIndex): Generator<string> {
  yield '{';
  for (const [id, tokens] of index.entries()) {
    yield `${id === 0 ? '' : ', '}"${id}": [${tokens.map((token) => `"${token}"`).join(', ')}]`;
  }
  yield '}';
}

/**
 * @param items how many items the data has; default as many as the file names
 * @throws InputError for a missing file, an id without tokens, a token of another form, a SID that is the beginning
 *   of another. Two items may share a SID (what `--collisions keep` leaves).
 */
export function readIndex(path: string, items?: number): SidIndex {
  const value = readJson<Record<string, unknown>>(path, 'run sidlab sid first');
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new InputError(`${path}: expected an object {id: [tokens]}; run sidlab sid again`);
  }
  const count = items ?? Object.keys(value).length;
  const index = Array.from({ length: count }, (_, id) => {
    if (!Object.hasOwn(value, id)) {
      throw new InputError(`${path}: item ${id} of ${count} is missing; run sidlab sid again on the same data`);
    }
    return value[id] as string[];
  });
  const surplus = Object.keys(value).length - count;
  if (surplus > 0) {
    throw new InputError(
      `${path}: expected ${count} items, got ${count + surplus}; run sidlab sid again on the same data`,
    );
  }
  checkIndex(index, path);
  return index;
}

function checkIndex(index: SidIndex, path: string): void {
  const owner = new Map<string, number>();
  const spelling = tokensOfIndex(index);
  for (const [id, tokens] of index.entries()) {
    if (!isSid(tokens, spelling)) {
      const other =
        spelling === 'plain' ? 'tokens such as <a_12>' : `${SID_BEGIN}, tokens such as <s_a_12>, ${SID_END}`;
      throw new InputError(
        `${path}: item ${id}: expected ${other}, got ${JSON.stringify(tokens)}; run sidlab sid again`,
      );
    }
    owner.set(tokens.join(''), id);
  }
  for (const [id, tokens] of index.entries()) {
    for (let length = 1; length < tokens.length; length++) {
      const other = owner.get(tokens.slice(0, length).join(''));
      if (other === undefined) continue;
      throw new InputError(
        `${path}: the SID of item ${other} is the beginning of item ${id}'s, so no decoder could tell them apart; run sidlab sid again`,
      );
    }
  }
}

/** Whether tokens are a SID of a spelling, the same for the whole index. */
function isSid(tokens: unknown, spelling: SidSpelling['tokens']): boolean {
  if (!Array.isArray(tokens) || !tokens.every((token) => typeof token === 'string')) return false;
  if (spelling === 'plain') return tokens.length > 0 && tokens.every((token) => /^<[a-z]_\d+>$/.test(token));
  const inside = tokens.slice(1, -1);
  const ends = tokens[0] === SID_BEGIN && tokens.at(-1) === SID_END;
  return ends && inside.length > 0 && inside.every((token) => /^<s_[a-z]_\d+>$/.test(token));
}

/**
 * The codes in an index's tokens, `["<a_12>", "<b_200>"]` -> `[12, 200]`; index = item id.
 * @param countFrom what code 0 is written as; default 0
 */
export function indexCodes(index: SidIndex, countFrom = 0): number[][] {
  return index.map((tokens) =>
    codeTokens(tokens).map((token) => Number(token.slice(token.lastIndexOf('_') + 1, -1)) - countFrom),
  );
}

/** What an index writes code 0 as, by its tokens: 0 where one of them is, else 1, as MiniOneRec's constrained methods count. */
export function countsFrom(index: SidIndex): number {
  return index.some((tokens) => codeTokens(tokens).some((token) => token.endsWith('_0>'))) ? 0 : 1;
}

/**
 * How many items have each item's SID.
 * @example sidOwners([['<a_1>'], ['<a_1>'], ['<a_2>']]) // [2, 2, 1]
 */
export function sidOwners(index: SidIndex): number[] {
  const owners = new Map<string, number>();
  const sids = index.map((tokens) => tokens.join(''));
  for (const sid of sids) owners.set(sid, (owners.get(sid) ?? 0) + 1);
  return sids.map((sid) => owners.get(sid)!);
}
