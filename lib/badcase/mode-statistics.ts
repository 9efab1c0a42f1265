/**
 * What the modes say together: of each how often it occurs, how much more often where rows fail, and what is left of that
 * when the other causes are held fixed; and which of them are named.
 */
import { holm } from '../evaluate/statistics/holm.js';
import type { AnyDetector } from './detector.js';
import type { HeldFixed, ModeReport } from './report-shape.js';
import { liftOf } from './statistics/lift.js';
import { fitLogistic, probability } from './statistics/logistic.js';
import { Z95 } from './statistics/normal.js';

/** A cause is named if its corrected p-value is below this ... */
export const NAMED_P = 0.05;
/** ... and more than this share of the failed rows has it. */
export const NAMED_SHARE = 0.2;

/** A row with its modes. */
export interface ModeRow {
  user: string;
  failed: boolean;
  /** Names of its modes. */
  modes: readonly string[];
}

/** Statistics of some modes. */
export interface ModeStatistics {
  /** By name, in the order of the detectors. */
  modes: Record<string, ModeReport>;
  /** Named causes, the one that explains most failed rows first. */
  named: string[];
}

/** @param detectors those that ran */
export function modeStatistics(
  detectors: readonly Pick<AnyDetector, 'name' | 'help' | 'kind'>[],
  rows: readonly ModeRow[],
): ModeStatistics {
  const sets = rows.map(({ modes }) => new Set(modes));
  const causes = detectors.filter(({ kind = 'cause' }) => kind === 'cause').map(({ name }) => name);
  const lifts = new Map(
    causes.map((name) => [
      name,
      liftOf(rows.map(({ user, failed }, i) => ({ user, failed, has: sets[i]!.has(name) }))),
    ]),
  );
  const tested = causes.filter((name) => lifts.get(name) !== null);
  const corrected = holm(tested.map((name) => lifts.get(name)!.p));
  const held = holdFixed(causes, rows, sets);
  const reports = detectors.map(({ name, help, kind = 'cause' }): [string, ModeReport] => {
    const lift = lifts.get(name) ?? null;
    const pHolm = lift === null ? null : corrected[tested.indexOf(name)]!;
    const plain = { help, kind, ...countMode(name, rows, sets), ...(lift ?? NO_LIFT), pHolm };
    const heldFixed = held.get(name) ?? null;
    const much = plain.share > NAMED_SHARE && plain.lift !== null && plain.lift > 1;
    return [name, { ...plain, heldFixed, named: much && pHolm! < NAMED_P && (heldFixed?.odds ?? 0) > 1 }];
  });
  const modes = Object.fromEntries(reports);
  const weight = (name: string): number => modes[name]!.heldFixed!.explained;
  const named = Object.keys(modes).filter((name) => modes[name]!.named);
  return { modes, named: named.sort((a, b) => weight(b) - weight(a) || modes[b]!.share - modes[a]!.share) };
}

const NO_LIFT = { lift: null, low: null, high: null, p: null };

function countMode(name: string, rows: readonly ModeRow[], sets: readonly ReadonlySet<string>[]) {
  let [failed, all, count] = [0, 0, 0];
  rows.forEach((row, i) => {
    const has = sets[i]!.has(name);
    if (row.failed) failed++;
    if (has) all++;
    if (has && row.failed) count++;
  });
  const over = (part: number, whole: number): number => (whole > 0 ? part / whole : 0);
  return {
    rows: all,
    count,
    share: over(count, failed),
    foundShare: over(all - count, rows.length - failed),
    failedShare: over(count, all),
  };
}

/** One fit of all causes that some rows have and some have not; empty where no row or every row failed. */
function holdFixed(
  causes: readonly string[],
  rows: readonly ModeRow[],
  sets: readonly ReadonlySet<string>[],
): Map<string, HeldFixed> {
  const failed = rows.map((row) => Number(row.failed));
  const failures = failed.reduce((sum, y) => sum + y, 0);
  if (failures === 0 || failures === rows.length) return new Map();
  const varying = causes.filter((name) => {
    const having = sets.reduce((sum, set) => sum + Number(set.has(name)), 0);
    return having > 0 && having < rows.length;
  });
  if (varying.length === 0) return new Map();
  const traits = sets.map((set) => varying.map((name) => Number(set.has(name))));
  const users = rows.map(({ user }) => user);
  const { beta, errors } = fitLogistic(traits, failed, users);
  return new Map(
    varying.map((name, k) => {
      const [value, error] = [beta[k + 1]!, errors[k + 1]!];
      let more = 0;
      for (const row of traits) {
        if (row[k] === 0) continue;
        more += probability(beta, row) - probability(beta, row.map((trait, j) => (j === k ? 0 : trait))); // prettier-ignore
      }
      const ends = { low: Math.exp(value - Z95 * error), high: Math.exp(value + Z95 * error) };
      return [name, { odds: Math.exp(value), ...ends, explained: Math.max(0, more / failures) }];
    }),
  );
}
