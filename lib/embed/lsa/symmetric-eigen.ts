/**
 * Eigenvalues and eigenvectors of a small symmetric matrix, in float64 on plain numbers: TensorFlow.js has none.
 *
 * Follows Golub & Van Loan, "Matrix Computations", 8.3: Householder reduction to a tridiagonal matrix, then implicit
 * QL steps with Wilkinson's shift. Departures: 1. the basis is kept transposed, one vector a row, so that every inner
 * loop runs along memory. 400 x 400 takes about 0.2 s.
 *
 * Shapes: R size.
 */
export interface Eigen {
  /** Largest first [R] */
  values: Float64Array;
  /** Row i belongs to value i, length 1 [R * R] */
  vectors: Float64Array;
}

/** @param matrix symmetric [R * R]; its upper triangle is not read */
export function symmetricEigen(matrix: Float64Array, size: number): Eigen {
  if (matrix.length !== size * size) {
    throw new Error(`symmetricEigen: expected ${size} x ${size} numbers, got ${matrix.length}`);
  }
  const { diagonal, off, basis } = tridiagonalise(matrix, size);
  implicitQl(diagonal, off, basis, size);
  const order = [...diagonal.keys()].sort((a, b) => diagonal[b]! - diagonal[a]! || a - b);
  const vectors = new Float64Array(size * size);
  order.forEach((from, to) => vectors.set(basis.subarray(from * size, (from + 1) * size), to * size));
  return { values: Float64Array.from(order, (i) => diagonal[i]!), vectors };
}

/** A = B^T T B; row i of `basis` is the i-th vector; `off[i]` couples i and i + 1. */
function tridiagonalise(matrix: Float64Array, n: number) {
  const a = Float64Array.from(matrix);
  for (let i = 0; i < n; i++) for (let j = i + 1; j < n; j++) a[i * n + j] = a[j * n + i]!;
  const basis = new Float64Array(n * n);
  for (let i = 0; i < n; i++) basis[i * n + i] = 1;
  const off = new Float64Array(n);
  const v = new Float64Array(n);
  const p = new Float64Array(n);
  for (let k = 0; k + 2 < n; k++) {
    let norm = 0;
    for (let j = k + 1; j < n; j++) norm += a[k * n + j]! ** 2;
    norm = Math.sqrt(norm);
    const head = a[k * n + k + 1]!;
    const alpha = head > 0 ? -norm : norm;
    off[k] = alpha;
    if (norm === 0) continue;
    v.fill(0);
    for (let j = k + 1; j < n; j++) v[j] = a[k * n + j]!;
    v[k + 1] = head - alpha;
    const beta = 1 / (norm * (norm + Math.abs(head))); // 2 / |v|^2
    reflectBothSides(a, v, p, beta, k, n);
    reflectRows(basis, v, p, beta, k, n);
  }
  if (n > 1) off[n - 2] = a[(n - 2) * n + n - 1]!;
  return { diagonal: Float64Array.from({ length: n }, (_, i) => a[i * n + i]!), off, basis };
}

/** A <- H A H with H = 1 - beta v v^T, on rows and columns after k. */
function reflectBothSides(a: Float64Array, v: Float64Array, p: Float64Array, beta: number, k: number, n: number) {
  let vp = 0;
  for (let i = k + 1; i < n; i++) {
    let sum = 0;
    for (let j = k + 1; j < n; j++) sum += a[i * n + j]! * v[j]!;
    p[i] = beta * sum;
    vp += p[i]! * v[i]!;
  }
  for (let i = k + 1; i < n; i++) p[i]! -= 0.5 * beta * vp * v[i]!;
  for (let i = k + 1; i < n; i++) {
    const [vi, pi] = [v[i]!, p[i]!];
    for (let j = k + 1; j < n; j++) a[i * n + j]! -= vi * p[j]! + pi * v[j]!;
  }
}

/** B <- H B: rows of the basis after k. */
function reflectRows(basis: Float64Array, v: Float64Array, p: Float64Array, beta: number, k: number, n: number) {
  p.fill(0);
  for (let i = k + 1; i < n; i++) for (let j = 0; j < n; j++) p[j]! += v[i]! * basis[i * n + j]!;
  for (let i = k + 1; i < n; i++) for (let j = 0; j < n; j++) basis[i * n + j]! -= beta * v[i]! * p[j]!;
}

/** Turns (diagonal, off) into eigenvalues in place, rotating the rows of the basis along. */
function implicitQl(d: Float64Array, e: Float64Array, basis: Float64Array, n: number): void {
  for (let l = 0; l < n; l++) {
    for (let round = 0; ; round++) {
      let m = l;
      while (m + 1 < n && Math.abs(e[m]!) > Number.EPSILON * (Math.abs(d[m]!) + Math.abs(d[m + 1]!))) m++;
      if (m === l) break;
      if (round === 60) throw new Error('symmetricEigen: no convergence after 60 steps; are all numbers finite?');
      qlStep(d, e, basis, l, m, n);
    }
  }
}

function qlStep(d: Float64Array, e: Float64Array, basis: Float64Array, l: number, m: number, n: number): void {
  const half = (d[l + 1]! - d[l]!) / (2 * e[l]!);
  const root = Math.hypot(half, 1);
  let g = d[m]! - d[l]! + e[l]! / (half + (half >= 0 ? root : -root));
  let [sine, cosine, shift] = [1, 1, 0];
  for (let i = m - 1; i >= l; i--) {
    const f = sine * e[i]!;
    const b = cosine * e[i]!;
    const r = Math.hypot(f, g);
    e[i + 1] = r;
    if (r === 0) {
      d[i + 1]! -= shift;
      e[m] = 0;
      return;
    }
    [sine, cosine] = [f / r, g / r];
    g = d[i + 1]! - shift;
    const t = (d[i]! - g) * sine + 2 * cosine * b;
    shift = sine * t;
    d[i + 1] = g + shift;
    g = cosine * t - b;
    rotateRows(basis, i, sine, cosine, n);
  }
  d[l]! -= shift;
  e[l] = g;
  e[m] = 0;
}

function rotateRows(basis: Float64Array, i: number, sine: number, cosine: number, n: number): void {
  for (let k = i * n; k < (i + 1) * n; k++) {
    const [low, high] = [basis[k]!, basis[k + n]!];
    basis[k + n] = sine * low + cosine * high;
    basis[k] = cosine * low - sine * high;
  }
}
