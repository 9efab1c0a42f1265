/** Limits on the quality of semantic IDs, and whether they are kept. */
import { InputError } from '../../support/errors.js';
import type { SidQuality } from './quality.js';
import { largest, smallest } from '../../support/extremes.js';

/** Limits on metrics of SIDs; one that is left out is not checked. */
export interface QualityLimits {
  /** Raw collision rate at most. */
  rawCollision?: number;
  /** Collision rate after collisions were resolved, at most. */
  collision?: number;
  /** Items on any one SID at most, after collisions were resolved. */
  largestGroup?: number;
  /** Share of test rows with an ambiguous target at most. */
  ambiguousTargets?: number;
  /** Share of its codes that every level uses, at least. */
  codesUsed?: number;
  /** Perplexity of every level over its codes, at least. */
  perplexity?: number;
  /** Items of any code at most. */
  clusterSize?: number;
  /** Mean squared error after the last level at most. */
  mse?: number;
  /** Share of nearest neighbours with the same first code, at least. */
  neighbours?: number;
  /** Purity of the first code by category, at least. */
  purity?: number;
}

/** A limit, the metric's value, and whether it is kept. */
export interface GateCheck {
  /** Which limit. */
  limit: keyof QualityLimits;
  /** Of the metric; null where it could not be computed. */
  value: number | null;
  /** The limit in words. */
  expected: string;
  /** A metric that could not be computed does not pass. */
  pass: boolean;
}

type Rule = readonly [side: 'at most' | 'at least', value: (quality: SidQuality) => number | null | undefined];

const RULES: Record<keyof QualityLimits, Rule> = {
  rawCollision: ['at most', ({ collision }) => collision.raw],
  collision: ['at most', ({ collision }) => collision.final],
  largestGroup: ['at most', ({ duplicates }) => duplicates.final.largest],
  ambiguousTargets: ['at most', ({ targets }) => targets?.ambiguous.final],
  codesUsed: ['at least', ({ levels }) => smallest(levels.map(({ used, codes }) => used / codes))],
  perplexity: ['at least', ({ levels }) => smallest(levels.map((level) => level.perplexity / level.codes))],
  clusterSize: ['at most', ({ levels }) => largest(levels.map(({ clusterSize }) => clusterSize.max))],
  mse: ['at most', ({ levels }) => levels.at(-1)!.mse],
  neighbours: ['at least', ({ prefixes }) => prefixes[0]!.neighbours],
  purity: ['at least', ({ prefixes }) => prefixes[0]!.purity],
};

/** @throws InputError for a limit that does not exist or is no number */
export function qualityGate(quality: SidQuality, limits: QualityLimits): { pass: boolean; checks: GateCheck[] } {
  const checks = Object.entries(limits).map(([name, limit]): GateCheck => {
    if (!Object.hasOwn(RULES, name)) {
      throw new InputError(`sid quality: expected limits ${Object.keys(RULES).join(', ')}, got ${name}`);
    }
    if (typeof limit !== 'number' || !Number.isFinite(limit)) {
      throw new InputError(`sid quality: expected a number as the limit of ${name}, got ${String(limit)}`);
    }
    const [side, of] = RULES[name as keyof QualityLimits];
    const value = of(quality) ?? null;
    const pass = value !== null && (side === 'at most' ? value <= limit : value >= limit);
    return { limit: name as keyof QualityLimits, value, expected: `${side} ${limit}`, pass };
  });
  return { pass: checks.every(({ pass }) => pass), checks };
}
