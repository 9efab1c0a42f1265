/**
 * Products of a sparse matrix with a tall dense one, on plain numbers: TensorFlow.js has no sparse product, and the
 * dense copy of a TF-IDF matrix would take hundreds of megabytes.
 *
 * Shapes: N rows, V columns, R columns of the dense side.
 */
import type { SparseRows } from './tfidf.js';

/** [N, V] times [V * R] -> [N * R] */
export function sparseMatMul(matrix: SparseRows, dense: Float32Array, width: number): Float32Array {
  const product = new Float32Array(matrix.rows * width);
  const sum = new Float64Array(width);
  for (let i = 0; i < matrix.rows; i++) {
    sum.fill(0);
    for (let e = matrix.start[i]!; e < matrix.start[i + 1]!; e++) {
      const weight = matrix.value[e]!;
      const from = matrix.column[e]! * width;
      for (let k = 0; k < width; k++) sum[k]! += weight * dense[from + k]!;
    }
    product.set(sum, i * width);
  }
  return product;
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
