/** Which seeds a benchmark runs. */
import { InputError } from 'sidlab';

/**
 * @param variable of the environment: `10` asks for 1 to 10, `3,5` for those two, so that several machines can share them
 * @param count how many where nobody asks
 */
export function askedSeeds(variable: string, count: number): number[] {
  const text = process.env[variable] ?? String(count);
  const numbers = text.split(',').map(Number);
  if (!numbers.every((seed) => Number.isInteger(seed) && seed > 0)) {
    throw new InputError(`${variable}: expected how many seeds or a list of them, got ${text}`);
  }
  return numbers.length > 1 ? numbers : Array.from({ length: numbers[0]! }, (_, i) => i + 1);
}
