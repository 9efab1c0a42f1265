/** A share of an evaluation: `2/8` is the second of eight processes, on whatever machines. */

/** Which share. */
export interface Shard {
  /** From 1. */
  index: number;
  /** How many shares there are. */
  of: number;
}

/** Of the option. */
export const SHARD_HELP = 'one of several shares, such as 2/8; sidlab merge-results puts them together';

/** @returns what was expected, if it is no shard */
export function shardProblem(text: unknown): string | undefined {
  return typeof text === 'string' && parse(text) ? undefined : 'i/n with i from 1 to n, such as 2/8';
}

/** @param text of the option, checked by `shardProblem` */
export function parseShard(text: string): Shard {
  return parse(text)!;
}

function parse(text: string): Shard | undefined {
  const [, index, of] = (/^([1-9]\d{0,5})\/([1-9]\d{0,5})$/.exec(text) ?? []).map(Number);
  return index !== undefined && index <= of! ? { index, of: of! } : undefined;
}
