/**
 * Entropic optimal transport.
 *
 * Follows Sinkhorn's scaling (Cuturi 2013), the scales taken into the kernel before they overflow (Schmitzer 2016;
 * POT's `sinkhorn_stabilized`), so that a small epsilon is slow but never NaN.
 *
 * Shapes: N rows, K columns.
 */

/** When the scaling ends, and how sharp its plan is. */
export interface SinkhornOptions {
  /** Strength of the entropy, in units of the costs, above 0. Smaller is sharper, and slower to converge. */
  epsilon: number;
  /** Default 1000, at most. */
  iterations?: number;
  /** Stop when no column's mass is off by more than this share of all mass. Default 1e-9. */
  tolerance?: number;
}

/** Scales beyond this, or below one through it, go into the kernel. */
const LARGE = 1e30;

/**
 * @param costs [N * K], finite
 * @param rowMass [N], above 0
 * @param columnMass [K], above 0, of the same sum
 * @returns the plan [N * K]: rows sum to `rowMass`, columns to `columnMass` within the tolerance if the
 *   iterations were enough
 * @throws RangeError for other shapes, a cost that is not finite (with its row), masses that are not above 0 or of
 *   different sums, an epsilon that is not above 0
 */
export function sinkhorn(
  costs: ArrayLike<number>,
  rowMass: ArrayLike<number>,
  columnMass: ArrayLike<number>,
  options: SinkhornOptions,
): Float64Array {
  const { epsilon, iterations = 1000, tolerance = 1e-9 } = options;
  const [n, k] = [rowMass.length, columnMass.length];
  const [mass, other] = [sumOf(rowMass), sumOf(columnMass)];
  if (costs.length !== n * k) throw new RangeError(`sinkhorn: expected ${n} x ${k} costs, got ${costs.length}`);
  for (let at = 0; at < costs.length; at++) {
    if (Number.isFinite(costs[at])) continue;
    throw new RangeError(
      `sinkhorn: expected finite costs, got ${costs[at]} in row ${Math.floor(at / k)}, column ${at % k}`,
    );
  }
  for (const [which, masses] of Object.entries({ row: rowMass, column: columnMass })) {
    const bad = Array.prototype.findIndex.call(masses, (value: number) => !(value > 0 && value < Infinity));
    if (bad >= 0) throw new RangeError(`sinkhorn: expected masses above 0, got ${masses[bad]} of ${which} ${bad}`);
  }
  if (!(epsilon > 0)) throw new RangeError(`sinkhorn: expected epsilon above 0, got ${epsilon}`);
  if (!(Math.abs(mass - other) <= 1e-6 * mass)) {
    throw new RangeError(`sinkhorn: expected row and column masses of one sum, got ${mass} and ${other}`);
  }
  const kernel = new Kernel(costs, n, k, epsilon);
  for (let iteration = 0; iteration < iterations; iteration++) {
    kernel.scaleRows(rowMass);
    if (kernel.scaleColumns(columnMass) <= tolerance * mass) break;
    if (kernel.outgrown()) kernel.absorb();
  }
  return kernel.plan();
}

function sumOf(values: ArrayLike<number>): number {
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += values[i]!;
  return sum;
}

class Kernel {
  /** exp((f_i + g_j - c_ij) / epsilon) [N * K]; the plan is u_i v_j times it. */
  private readonly values: Float64Array;
  private readonly f: Float64Array;
  private readonly g: Float64Array;
  private readonly u: Float64Array;
  private readonly v: Float64Array;
  private readonly column: Float64Array;

  constructor(
    private readonly costs: ArrayLike<number>,
    private readonly n: number,
    private readonly k: number,
    private readonly epsilon: number,
  ) {
    this.values = new Float64Array(n * k);
    this.f = new Float64Array(n).fill(Infinity);
    for (let at = 0; at < n * k; at++) this.f[Math.floor(at / k)] = Math.min(this.f[Math.floor(at / k)]!, costs[at]!);
    this.g = new Float64Array(k);
    this.u = new Float64Array(n).fill(1);
    this.v = new Float64Array(k).fill(1);
    this.column = new Float64Array(k);
    this.absorb();
  }

  /** Makes the rows' masses right, and sums up the columns on the way. */
  scaleRows(rowMass: ArrayLike<number>): void {
    const { values, u, v, column, n, k } = this;
    column.fill(0);
    for (let i = 0; i < n; i++) {
      const row = i * k;
      let sum = 0;
      for (let j = 0; j < k; j++) sum += values[row + j]! * v[j]!;
      const scale = rowMass[i]! / Math.max(sum, 1e-200);
      u[i] = scale;
      for (let j = 0; j < k; j++) column[j]! += values[row + j]! * scale;
    }
  }

  /** Makes the columns' masses right where they are off. @returns by how much at most they were */
  scaleColumns(columnMass: ArrayLike<number>): number {
    let off = 0;
    for (let j = 0; j < this.k; j++) {
      off = Math.max(off, Math.abs(this.column[j]! * this.v[j]! - columnMass[j]!));
      this.v[j] = columnMass[j]! / Math.max(this.column[j]!, 1e-200);
    }
    return off;
  }

  outgrown(): boolean {
    const large = (scale: number): boolean => scale > LARGE || scale < 1 / LARGE;
    return this.u.some(large) || this.v.some(large);
  }

  /** Takes the scales into the potentials. */
  absorb(): void {
    const { values, costs, f, g, u, v, n, k, epsilon } = this;
    for (let i = 0; i < n; i++) f[i]! += epsilon * Math.log(u[i]!);
    for (let j = 0; j < k; j++) g[j]! += epsilon * Math.log(v[j]!);
    u.fill(1);
    v.fill(1);
    for (let i = 0, at = 0; i < n; i++) {
      for (let j = 0; j < k; j++, at++) values[at] = Math.exp((f[i]! + g[j]! - costs[at]!) / epsilon);
    }
  }

  /** The plan, in place of the kernel: nothing can be scaled after it. */
  plan(): Float64Array {
    const { values, u, v, n, k } = this;
    for (let i = 0, at = 0; i < n; i++) for (let j = 0; j < k; j++, at++) values[at] = u[i]! * v[j]! * values[at]!;
    return values;
  }
}
