/**
 * Logistic regression with a small ridge, by Newton's method: what each of several overlapping traits adds to the odds of
 * failing while the others are held fixed. The ridge keeps a coefficient finite where a trait's rows all fail. Standard
 * errors are of the sandwich kind, summed over users.
 *
 * Shapes: N rows, K traits; the intercept comes first and has no penalty.
 */

/** Options of `fitLogistic`. */
export interface LogisticOptions {
  /** Half of this times the squared coefficients is added to the loss. Default 0.5. */
  ridge?: number;
  /** Newton steps at most. Default 100. */
  steps?: number;
}

/** A fit. */
export interface LogisticFit {
  /** Intercept and coefficients [1 + K]. */
  beta: number[];
  /** Standard errors of them, over users [1 + K]. */
  errors: number[];
  /** Whether the gradient vanished. */
  converged: boolean;
}

/**
 * @param traits of each row 0 or 1 (any numbers will do) [N][K]
 * @param failed of each row 0 or 1 [N]
 * @param users of each row; rows of one user are not independent [N]
 */
export function fitLogistic(
  traits: readonly (readonly number[])[],
  failed: readonly number[],
  users: readonly string[],
  { ridge = 0.5, steps = 100 }: LogisticOptions = {},
): LogisticFit {
  const rows = traits.map((row) => [1, ...row]);
  const width = 1 + (traits[0]?.length ?? 0);
  const mean = failed.reduce((sum, y) => sum + y, 0) / failed.length;
  let beta = new Array<number>(width).fill(0);
  beta[0] = Math.log((mean + 1e-9) / (1 - mean + 1e-9));
  let converged = false;
  for (let step = 0; step < steps && !converged; step++) {
    const { gradient, hessian } = derivatives(rows, failed, beta, ridge);
    const move = solve(hessian, gradient);
    const before = loss(rows, failed, beta, ridge);
    let size = 1;
    let next = beta;
    do {
      next = beta.map((value, k) => value - size * move[k]!);
      size /= 2;
    } while (loss(rows, failed, next, ridge) > before && size > 1e-6);
    beta = next;
    converged = Math.max(...move.map(Math.abs)) < 1e-9;
  }
  return { beta, errors: sandwich(rows, failed, users, beta, ridge), converged };
}

/** @returns the probability of failing of a row with these traits */
export function probability(beta: readonly number[], traits: readonly number[]): number {
  return sigmoid(traits.reduce((sum, value, k) => sum + value * beta[k + 1]!, beta[0]!));
}

const sigmoid = (x: number): number => 1 / (1 + Math.exp(-x));
const dot = (a: readonly number[], b: readonly number[]): number => a.reduce((sum, value, k) => sum + value * b[k]!, 0);

function loss(rows: readonly number[][], y: readonly number[], beta: readonly number[], ridge: number): number {
  let sum = 0;
  rows.forEach((row, i) => {
    const x = dot(row, beta);
    sum += Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x))) - y[i]! * x;
  });
  return sum + 0.5 * ridge * beta.slice(1).reduce((squares, value) => squares + value * value, 0);
}

function derivatives(rows: readonly number[][], y: readonly number[], beta: readonly number[], ridge: number) {
  const width = beta.length;
  const gradient = beta.map((value, k) => (k === 0 ? 0 : ridge * value));
  const hessian = Array.from({ length: width }, (_, a) =>
    Array.from({ length: width }, (_, b) => (a === b && a > 0 ? ridge : 0)),
  );
  rows.forEach((row, i) => {
    const p = sigmoid(dot(row, beta));
    for (let a = 0; a < width; a++) {
      if (row[a] === 0) continue;
      gradient[a]! += (p - y[i]!) * row[a]!;
      for (let b = 0; b < width; b++) hessian[a]![b]! += p * (1 - p) * row[a]! * row[b]!;
    }
  });
  return { gradient, hessian };
}

/** Square roots of the diagonal of H^-1 S H^-1, S the sum over users of the outer product of a user's scores. */
function sandwich(
  rows: readonly number[][],
  y: readonly number[],
  users: readonly string[],
  beta: readonly number[],
  ridge: number,
): number[] {
  const scores = new Map<string, number[]>();
  rows.forEach((row, i) => {
    const rest = sigmoid(dot(row, beta)) - y[i]!;
    const sum = scores.get(users[i]!) ?? new Array<number>(beta.length).fill(0);
    row.forEach((value, k) => (sum[k]! += rest * value));
    scores.set(users[i]!, sum);
  });
  const { hessian } = derivatives(rows, y, beta, ridge);
  return beta.map((_, k) => {
    const column = solve(
      hessian,
      beta.map((_, j) => Number(j === k)),
    );
    let variance = 0;
    for (const score of scores.values()) variance += dot(column, score) ** 2;
    return Math.sqrt(variance);
  });
}

/** x of A x = b by Cholesky's factors; A [K][K] symmetric and positive definite. */
function solve(matrix: readonly (readonly number[])[], right: readonly number[]): number[] {
  const size = right.length;
  const lower = matrix.map((row) => [...row]);
  for (let j = 0; j < size; j++) {
    for (let i = j; i < size; i++) {
      let value = matrix[i]![j]!;
      for (let k = 0; k < j; k++) value -= lower[i]![k]! * lower[j]![k]!;
      lower[i]![j] = i === j ? Math.sqrt(Math.max(value, 1e-300)) : value / lower[j]![j]!;
    }
  }
  const x = [...right];
  for (let i = 0; i < size; i++) {
    for (let k = 0; k < i; k++) x[i]! -= lower[i]![k]! * x[k]!;
    x[i]! /= lower[i]![i]!;
  }
  for (let i = size - 1; i >= 0; i--) {
    for (let k = i + 1; k < size; k++) x[i]! -= lower[k]![i]! * x[k]!;
    x[i]! /= lower[i]![i]!;
  }
  return x;
}
