/**
 * `NAME.index.json`: item id -> the tokens of its semantic ID, `{"0": ["<a_12>","<b_200>","<c_7>"]}`.
 * (MiniOneRec's and GRec's format.) In memory row = item id.
 */
import { readJson, writeAtomic } from '../files/files.js';
import { InputError } from '../support/errors.js';

/** Tokens of each item's SID; index = item id. Lengths may differ (a rank token), but no SID is another's beginning. */
export type SidIndex = string[][];

/** `[12, 200, 7]` -> `["<a_12>", "<b_200>", "<c_7>"]` */
export function sidTokens(codes: readonly number[]): string[] {
  return codes.map((code, level) => `<${String.fromCharCode(97 + level)}_${code}>`);
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
  for (const [id, tokens] of index.entries()) {
    const good = Array.isArray(tokens) && tokens.length > 0;
    if (!good || !tokens.every((token) => typeof token === 'string' && /^<[a-z]_\d+>$/.test(token))) {
      throw new InputError(
        `${path}: item ${id}: expected tokens such as <a_12>, got ${JSON.stringify(tokens)}; run sidlab sid again`,
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

/** The codes in an index's tokens, `["<a_12>", "<b_200>"]` -> `[12, 200]`; index = item id. */
export function indexCodes(index: SidIndex): number[][] {
  return index.map((tokens) => tokens.map((token) => Number(token.slice(token.indexOf('_') + 1, -1))));
}
