/** First numbers of weights, as PyTorch's `torch.nn.init` makes them. */
import type { Random } from '../../support/random.js';

/** Normal. @param deviation of them */
export function normal(random: Random, size: number, deviation: number): Float32Array {
  return Float32Array.from({ length: size }, () => deviation * random.normal());
}

/** `xavier_normal_` of a matrix [rows, columns]: deviation sqrt(2 / (rows + columns)). */
export function xavierNormal(random: Random, [rows, columns]: readonly number[]): Float32Array {
  return normal(random, rows! * columns!, Math.sqrt(2 / (rows! + columns!)));
}

/** `xavier_uniform_` of a matrix [rows, columns]: bound sqrt(6 / (rows + columns)). */
export function xavierUniform(random: Random, [rows, columns]: readonly number[]): Float32Array {
  return uniform(random, rows! * columns!, Math.sqrt(6 / (rows! + columns!)));
}

/** Uniform in [-bound, bound). */
export function uniform(random: Random, size: number, bound: number): Float32Array {
  return Float32Array.from({ length: size }, () => bound * (2 * random.next() - 1));
}

/** Numbers in a shape. */
export function sizeOf(shape: readonly number[]): number {
  return shape.reduce((product, n) => product * n, 1);
}
