/** Which seeds a benchmark runs. */
import { InputError } from 'sidlab';

/** @param variable of the environment: `42,43` asks for those @param seeds which, where nobody asks */
export function listedSeeds(variable: string, seeds: readonly number[]): readonly number[] {
  const text = process.env[variable];
  if (text === undefined) return seeds;
  const asked = text.split(',').map(Number);
  if (!asked.every((seed) => Number.isInteger(seed) && seed >= 0)) {
    throw new InputError(`${variable}: expected whole numbers by commas, got ${text}`);
  }
  return asked;
}

/**
 * @param variable of the environment: `10` asks for 1 to 10, `3-5` for those three, so that several machines can share them
 * @param count how many where nobody asks
 */
export function askedSeeds(variable: string, count: number): number[] {
  const text = process.env[variable] ?? String(count);
  const [, first = '1', last] = /^(?:([1-9]\d*)-)?([1-9]\d*)$/.exec(text) ?? [];
  const [from, to] = [Number(first), Number(last)];
  if (last === undefined || from > to) throw new InputError(`${variable}: expected 10 or 3-5, got ${text}`);
  return Array.from({ length: to - from + 1 }, (_, i) => from + i);
}
