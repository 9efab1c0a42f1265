/** The parts of latent semantic analysis against plain second implementations and the properties that define them. */
import fc from '../fast-check.js';
import { beforeAll, describe, expect, test } from 'vitest';
import { lsa } from '../../lib/embed/lsa/lsa.js';
import { gram, orthonormalise } from '../../lib/embed/lsa/orthonormalise.js';
import { sparseMatMul, transpose } from '../../lib/embed/lsa/sparse.js';
import { symmetricEigen } from '../../lib/embed/lsa/symmetric-eigen.js';
import { type SparseRows, termsOf, tfidf } from '../../lib/embed/lsa/tfidf.js';
import { truncatedSvd } from '../../lib/embed/lsa/truncated-svd.js';
import { useEngine } from '../../lib/engine/engine.js';
import { rowOf } from '../../lib/files/npy.js';
import { Random } from '../../lib/support/random.js';

beforeAll(() => useEngine());

const normals = (count: number, seed: number | string = 1) => {
  const random = new Random(seed);
  return Array.from({ length: count }, () => random.normal());
};

/** [n, k] times [k, m] */
function product(a: ArrayLike<number>, b: ArrayLike<number>, n: number, k: number, m: number): Float64Array {
  const out = new Float64Array(n * m);
  for (let i = 0; i < n; i++)
    for (let j = 0; j < m; j++) for (let l = 0; l < k; l++) out[i * m + j]! += a[i * k + l]! * b[l * m + j]!;
  return out;
}

const largest = (values: Iterable<number>): number => [...values].reduce((most, x) => Math.max(most, Math.abs(x)), 0);

describe('eigenvalues', () => {
  /** A = V^T diag(values) V, orthonormal V, largest first; the upper triangle is not read. */
  function check(matrix: Float64Array, n: number): Float64Array {
    const garbled = matrix.map((x, at) => (at % n > Math.floor(at / n) ? NaN : x));
    const { values, vectors } = symmetricEigen(garbled, n);
    const scale = Math.max(largest(matrix), 1e-300);
    for (let i = 0; i < n; i++) {
      const v = vectors.subarray(i * n, (i + 1) * n);
      const image = product(matrix, v, n, n, 1);
      expect(largest(image.map((x, j) => x - values[i]! * v[j]!)) / scale).toBeLessThan(1e-13 * n);
      if (i > 0) expect(values[i]).toBeLessThanOrEqual(values[i - 1]!);
      for (let k = 0; k <= i; k++) {
        const dot = v.reduce((sum, x, j) => sum + x * vectors[k * n + j]!, 0);
        expect(Math.abs(dot - (i === k ? 1 : 0))).toBeLessThan(1e-13 * n);
      }
    }
    return values;
  }

  function symmetric(n: number, entry: (i: number, j: number) => number): Float64Array {
    return Float64Array.from({ length: n * n }, (_, at) => {
      const [i, j] = [Math.floor(at / n), at % n];
      return entry(Math.max(i, j), Math.min(i, j));
    });
  }

  test.each([1, 2, 3, 4, 5, 8, 13, 30])('random, of size %i', (n) => {
    for (let seed = 0; seed < 6; seed++) {
      const entries = normals(n * n, `${n}/${seed}`);
      check(
        symmetric(n, (i, j) => entries[i * n + j]!),
        n,
      );
      check(symmetric(n, (i, j) => entries[i * n + j]! * 10 ** (-2 * (i + j) / 3)), n); // prettier-ignore
      check(
        symmetric(n, (i, j) => (i === j ? 5 + (i % 3) : i - j === 1 && i % 3 > 0 ? entries[i]! : 0)),
        n,
      );
    }
  });

  test('of low rank, repeated, diagonal, zero', () => {
    const x = normals(14, 3);
    const low = symmetric(7, (i, j) => x[i]! * x[j]! + x[i + 7]! * x[j + 7]!);
    expect(largest(check(low, 7).subarray(2))).toBeLessThan(1e-13);
    expect([
      ...check(
        symmetric(5, (i, j) => (i === j ? 3 : 0)),
        5,
      ),
    ]).toEqual([3, 3, 3, 3, 3]);
    expect([
      ...check(
        symmetric(4, (i, j) => (i === j ? [2, -7, 5, 0][i]! : 0)),
        4,
      ),
    ]).toEqual([5, 2, 0, -7]);
    expect([...check(new Float64Array(9), 3)]).toEqual([0, 0, 0]);
    expect([...check(symmetric(6, () => 1), 6)].map((value) => Math.round(value * 1e9) / 1e9 + 0)).toEqual([6, 0, 0, 0, 0, 0]); // prettier-ignore
    expect([...check(Float64Array.of(-4), 1)]).toEqual([-4]);
  });

  test('a chain of springs: 2 - 2 cos(pi k / (n + 1))', () => {
    const n = 24;
    const values = check(symmetric(n, (i, j) => (i === j ? 2 : i - j === 1 ? -1 : 0)), n); // prettier-ignore
    const want = Array.from({ length: n }, (_, k) => 2 - 2 * Math.cos((Math.PI * (n - k)) / (n + 1)));
    values.forEach((value, k) => expect(value).toBeCloseTo(want[k]!, 12));
  });

  test('of equal values the vectors come in the order of their rows', () => {
    const { vectors } = symmetricEigen(Float64Array.of(1, 0, 0, 0, 2, 0, 0, 0, 1), 3);
    expect([...vectors].map((x) => Math.abs(x))).toEqual([0, 1, 0, 1, 0, 0, 0, 0, 1]);
  });

  test('another size', () => {
    expect(() => symmetricEigen(new Float64Array(8), 3)).toThrow('symmetricEigen: expected 3 x 3 numbers, got 8');
  });
});

describe('an orthonormal basis', () => {
  const of = (columns: number[][]): Float32Array => {
    const rows = columns[0]!.length;
    return Float32Array.from({ length: rows * columns.length }, (_, at) => columns[at % columns.length]![Math.floor(at / columns.length)]!); // prettier-ignore
  };
  const columnsOf = (matrix: Float32Array, width: number) =>
    Array.from({ length: width }, (_, j) => [...matrix].filter((_, at) => at % width === j));
  const dot = (a: number[], b: number[]) => a.reduce((sum, x, i) => sum + x * b[i]!, 0);

  /** Gram and Schmidt's, column by column, in float64; zero for a column that depends on those before. */
  function plain(columns: number[][]): number[][] {
    const basis: number[][] = [];
    return columns.map((column) => {
      let rest = [...column];
      for (const q of [...basis, ...basis]) {
        const share = dot(rest, q);
        rest = rest.map((x, i) => x - share * q[i]!);
      }
      const [length, whole] = [dot(rest, rest), dot(column, column)];
      if (!(length > 1e-6 * whole)) return column.map(() => 0);
      const q = rest.map((x) => x / Math.sqrt(length));
      basis.push(q);
      return q;
    });
  }

  test.each([1, 2, 5, 12])('%i columns, in the order given: as Gram and Schmidt have it', (width) => {
    const columns = Array.from({ length: width }, (_, j) => normals(30, `${width}/${j}`).map((x) => x * 4 ** (j % 3)));
    const found = columnsOf(orthonormalise(of(columns), width), width);
    plain(columns).forEach((q, j) => q.forEach((x, i) => expect(found[j]![i]).toBeCloseTo(x, 4)));
  });

  test('columns that depend on those before are zero, those after are not', () => {
    const [a, b, c] = [1, 2, 3].map((seed) => normals(20, seed)) as [number[], number[], number[]];
    const sum = a.map((x, i) => 2 * x - b[i]!);
    const columns = [a, a, b, sum, c, a.map(() => 0), c.map((x) => -3 * x)];
    const found = columnsOf(orthonormalise(of(columns), 7), 7);
    plain(columns).forEach((q, j) => q.forEach((x, i) => expect(found[j]![i]).toBeCloseTo(x, 4)));
    expect(found.map((column) => Math.round(dot(column, column) * 1e4) / 1e4)).toEqual([1, 0, 1, 0, 1, 0, 0]);
  });

  test('dependent is what has less than a thousandth of its own length left, whatever the length', () => {
    const [a, b] = [[1, 0, 0], [0, 1, 0]] as const; // prettier-ignore
    for (const size of [1e-3, 1, 1e4]) {
      for (const [share, kept] of [
        [2e-3, 1],
        [1.1e-3, 1],
        [0.9e-3, 0],
        [0.5e-3, 0],
      ] as const) {
        const near = a.map((x, i) => size * (x + share * b[i]!));
        const [, q] = columnsOf(orthonormalise(of([[...a], near]), 2), 2);
        expect(Math.round(dot(q!, q!) * 10) / 10, `${size} ${share}`).toBe(kept);
      }
    }
  });

  test('the Gram matrix', () => {
    expect([...gram(Float32Array.of(1, 2, 3, 4, 5, 6), 2)]).toEqual([35, 44, 44, 56]);
  });
});

/** Rows with zero to nine entries. */
function sparse(rows: number, width: number, seed: number): { matrix: SparseRows; dense: Float64Array } {
  const random = new Random(seed);
  const [start, column, value] = [[0], [] as number[], [] as number[]];
  const dense = new Float64Array(rows * width);
  for (let i = 0; i < rows; i++) {
    const columns = random.shuffle([...Array(width).keys()]).slice(0, i % 10).sort((a, b) => a - b); // prettier-ignore
    for (const j of columns) {
      column.push(j);
      value.push(Math.fround(random.normal()));
      dense[i * width + j] = value.at(-1)!;
    }
    start.push(column.length);
  }
  return {
    dense,
    matrix: { rows, width, start: Uint32Array.from(start), column: Uint32Array.from(column), value: Float32Array.from(value) }, // prettier-ignore
  };
}

describe('sparse products', () => {
  test.each([1, 3, 8])('times a dense matrix of %i columns, rows of any number of entries', (width) => {
    const { matrix, dense } = sparse(33, 12, width);
    const right = Float32Array.from(normals(12 * width));
    const found = sparseMatMul(matrix, right, width);
    const want = product(dense, right, 33, 12, width);
    want.forEach((x, at) => expect(found[at]).toBeCloseTo(x, 5));
  });

  test('transposed, and back', () => {
    const { matrix, dense } = sparse(25, 11, 4);
    const other = transpose(matrix);
    expect([other.rows, other.width]).toEqual([11, 25]);
    for (let j = 0; j < 11; j++) {
      const row = new Float64Array(25);
      for (let e = other.start[j]!; e < other.start[j + 1]!; e++) row[other.column[e]!] = other.value[e]!;
      expect([...row]).toEqual(Array.from({ length: 25 }, (_, i) => dense[i * 11 + j]!));
      const columns = [...other.column.subarray(other.start[j], other.start[j + 1])];
      expect(columns).toEqual([...columns].sort((a, b) => a - b));
    }
    expect(transpose(other)).toEqual(matrix);
  });
});

describe('terms', () => {
  test('words of two characters and more, runs of them, stop words leave no gap', () => {
    expect(termsOf('Hex Bolts, M8 x 2 ünder_score 1')).toEqual(['hex', 'bolts', 'm8', 'ünder_score']);
    expect(termsOf('aa bb cc', 2)).toEqual(['aa', 'bb', 'cc', 'aa bb', 'bb cc']);
    expect(termsOf('aa bb cc', 3)).toEqual(['aa', 'bb', 'cc', 'aa bb', 'bb cc', 'aa bb cc']);
    expect(termsOf('aa', 3)).toEqual(['aa']);
    expect(termsOf('bolt for the nut', 2, true)).toEqual(['bolt', 'nut', 'bolt nut']);
    expect(termsOf('bolt for the nut', 1, false)).toEqual(['bolt', 'for', 'the', 'nut']);
    expect(termsOf('')).toEqual([]);
  });

  test('weights by hand: damped counts times the inverse document frequency, rows of length 1', () => {
    const texts = ['bolt bolt bolt nut', 'nut wing', 'Wing wing', 'nothing9', ''];
    for (const sublinearTf of [true, false]) {
      const { matrix, terms } = tfidf(texts, { sublinearTf });
      expect(terms).toEqual(['bolt', 'nothing9', 'nut', 'wing']);
      const idf = [1, 1, 2, 2].map((df) => Math.log(6 / (1 + df)) + 1);
      const tf = (count: number) => (sublinearTf ? 1 + Math.log(count) : count);
      const raw = [[tf(3) * idf[0]!, 0, idf[2]!, 0], [0, 0, idf[2]!, idf[3]!], [0, 0, 0, tf(2) * idf[3]!], [0, idf[1]!, 0, 0], [0, 0, 0, 0]]; // prettier-ignore
      expect([...matrix.start]).toEqual([0, 2, 4, 5, 6, 6]);
      raw.forEach((row, i) => {
        const length = Math.hypot(...row) || 1;
        const found = [0, 0, 0, 0];
        for (let e = matrix.start[i]!; e < matrix.start[i + 1]!; e++) found[matrix.column[e]!] = matrix.value[e]!;
        row.forEach((x, j) => expect(found[j]).toBeCloseTo(x / length, 6));
      });
    }
  });

  test('too rare, too common: at the bounds terms stay', () => {
    const texts = ['aa bb cc dd', 'aa bb cc', 'aa bb', 'aa'];
    const terms = (options: Parameters<typeof tfidf>[1]) => tfidf(texts, options).terms;
    expect([1, 2, 3, 4].map((minDf) => terms({ minDf }).length)).toEqual([4, 3, 2, 1]);
    expect([1, 0.75, 0.74, 0.5, 0.25].map((maxDf) => terms({ maxDf })[0])).toEqual(['aa', 'bb', 'cc', 'cc', 'dd']);
    expect(tfidf(['b1 a1', 'B1 c1']).terms).toEqual(['a1', 'b1', 'c1']);
  });

  test('columns ascend within a row, whatever the order of its words', () => {
    const { matrix, terms } = tfidf(['dd aa cc bb', 'bb aa', 'cc dd dd']);
    expect(terms).toEqual(['aa', 'bb', 'cc', 'dd']);
    expect([...matrix.column]).toEqual([0, 1, 2, 3, 0, 1, 2, 3]);
    expect([matrix.rows, matrix.width]).toEqual([3, 4]);
    expect(matrix.value[7]!).toBeGreaterThan(matrix.value[6]!); // of dd, which comes twice
  });
});

describe('singular values', () => {
  /** Largest first, of the dense matrix. */
  function plain(dense: Float64Array, rows: number, width: number): number[] {
    const square = new Float64Array(rows * rows);
    for (let i = 0; i < rows; i++)
      for (let j = 0; j < rows; j++)
        for (let k = 0; k < width; k++) square[i * rows + j]! += dense[i * width + k]! * dense[j * width + k]!;
    return [...symmetricEigen(square, rows).values].map((value) => Math.sqrt(Math.max(0, value)));
  }

  test.each([
    [20, 30, 6],
    [30, 12, 12],
    [12, 30, 6],
    [9, 9, 1],
  ])('%i x %i, the first %i: those of A A^T, and rows that keep their products', (rows, width, kept) => {
    const { matrix, dense } = sparse(rows, width, rows);
    const want = plain(dense, rows, width);
    const { singular, projected } = truncatedSvd(matrix, { width: kept, iterations: 8 });
    expect(singular).toHaveLength(kept);
    singular.forEach((value, i) => expect(value).toBeCloseTo(want[i]!, 3));
    if (kept < Math.min(rows, width)) return;
    for (let i = 0; i < rows; i += 3) {
      for (let j = 0; j < rows; j += 4) {
        const [a, b] = [i, j].map((row) => projected.subarray(row * kept, (row + 1) * kept)) as [Float32Array, Float32Array]; // prettier-ignore
        const own = a.reduce((sum, x, k) => sum + x * b[k]!, 0);
        const asked = Array.from({ length: width }, (_, k) => dense[i * width + k]! * dense[j * width + k]!).reduce((sum, x) => sum + x, 0); // prettier-ignore
        expect(own).toBeCloseTo(asked, 3);
      }
    }
  });

  test('five iterations, ten directions more, seed 42, unless it is said otherwise', () => {
    const { matrix } = sparse(60, 50, 7);
    const found = truncatedSvd(matrix, { width: 3 });
    expect(truncatedSvd(matrix, { width: 3, iterations: 5, oversample: 10, seed: 42 })).toEqual(found);
    const others = [{ iterations: 4 }, { iterations: 6 }, { oversample: 9 }, { oversample: 11 }, { seed: 43 }];
    for (const other of others) expect(truncatedSvd(matrix, { width: 3, ...other })).not.toEqual(found);
  });

  test('widths from 1 to the smaller side', () => {
    const { matrix } = sparse(20, 6, 2);
    for (const width of [0, 7, 1.5, NaN, -1]) {
      expect(() => truncatedSvd(matrix, { width })).toThrow(`truncatedSvd: expected width from 1 to 6, got ${width}`);
    }
    expect(truncatedSvd(matrix, { width: 6 }).singular).toHaveLength(6);
    expect(truncatedSvd(matrix, { width: 1 }).projected).toHaveLength(20);
  });

  test('signs: in each right vector the entry of largest magnitude is positive', () => {
    const { matrix, dense } = sparse(24, 9, 5);
    const { projected } = truncatedSvd(matrix, { width: 9, iterations: 8 });
    const right = product(Float64Array.from({ length: 9 * 24 }, (_, at) => projected[(at % 24) * 9 + Math.floor(at / 24)]!), dense, 9, 24, 9); // prettier-ignore
    for (let d = 0; d < 9; d++) {
      const row = [...right.subarray(d * 9, d * 9 + 9)];
      expect(Math.max(...row)).toBeGreaterThan(-Math.min(...row));
    }
  });
});

describe('latent semantic analysis', () => {
  const texts = (count: number, words: number) => {
    const random = new Random(count);
    return Array.from({ length: count }, (_, i) => [`own${i % words}`, ...Array.from({ length: 5 }, () => `word${random.int(words)}`)].join(' ')); // prettier-ignore
  };

  test.each([
    [2, 9, 1],
    [5, 9, 2],
    [8, 9, 2],
    [9, 9, 3],
    [41, 60, 11],
    [100, 6, 12],
    [200, 6, 12],
  ])('%i texts of twice %i terms: width %i', (count, words, width) => {
    const { vectors, terms, empty } = lsa(texts(count, words));
    expect([vectors.rows, vectors.width, empty]).toEqual([count, width, 0]);
    expect(terms).toBeLessThanOrEqual(2 * words);
    for (let i = 0; i < count; i++) expect(Math.hypot(...rowOf(vectors, i))).toBeCloseTo(1, 5);
  });

  test('the widest there is, and one more', () => {
    expect(lsa(texts(6, 20), { width: 5 }).vectors.width).toBe(5);
    expect(() => lsa(texts(6, 20), { width: 6 })).toThrow(/expected a width from 1 to 5 \(6 texts, \d+ terms\), got 6/);
    const few = ['aa bb', 'aa', 'bb', 'aa bb'];
    expect(lsa(few, { width: 2 }).vectors.width).toBe(2);
    expect(() => lsa(few, { width: 3 })).toThrow('expected a width from 1 to 2 (4 texts, 2 terms), got 3');
    expect(lsa(few, { width: 1 }).vectors.data).toHaveLength(4);
  });
});

test('eigenvalues of any small matrix add up to its diagonal', () => {
  const input = fc.array(fc.integer({ min: -3, max: 3 }), { minLength: 16, maxLength: 16 });
  fc.assert(
    fc.property(input, (entries) => {
      const { values } = symmetricEigen(Float64Array.from(entries), 4);
      const diagonal = [0, 5, 10, 15].reduce((sum, at) => sum + entries[at]!, 0);
      expect(values.reduce((sum, x) => sum + x, 0)).toBeCloseTo(diagonal, 10);
    }),
    { numRuns: 200 },
  );
});
