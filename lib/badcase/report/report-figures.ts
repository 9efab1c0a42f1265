/** The figures of a report of bad cases, by the names of their files. */
import { failureModes } from '../../figures/failure-modes.js';
import { failureRate } from '../../figures/failure-rate.js';
import type { Figure } from '../../figures/figure.js';
import { rankDistribution } from '../../figures/rank-distribution.js';
import { sidHealth } from '../../figures/sid/sid-health.js';
import type { BadCaseFile } from '../report-shape.js';

/** @param ranks of each row's target, from 1; 0 where it is not listed @returns the SIDs' figure only where there are any */
export function reportFigures(report: BadCaseFile, ranks: readonly number[]): Record<string, Figure> {
  const { modes, rows, failed, topK, sidQuality: sid } = report;
  const gaps = sid?.semanticGap ?? [];
  const by = gaps.some((gap) => gap.by === 'vectors') ? 'vectors' : 'categories';
  return {
    failure_patterns: failureModes(modes),
    failure_rate: failureRate({ found: rows - failed, missed: missedBands(ranks, topK) }, topK),
    rank_distribution: rankDistribution(ranks),
    ...(sid && {
      sid_quality: sidHealth({
        levels: sid.levels,
        gaps: gaps.filter((gap) => gap.by === by),
        collisions: sid.collisions,
      }),
    }),
  };
}

function missedBands(ranks: readonly number[], topK: number): Record<string, number> {
  const bounds = [20, 50].filter((last) => last > topK);
  const bands: Record<string, number> = {};
  let from = topK;
  for (const last of bounds) {
    bands[`${from + 1} to ${last}`] = ranks.filter((rank) => rank > from && rank <= last).length;
    from = last;
  }
  bands['further down, or not listed'] = ranks.filter((rank) => rank === 0 || rank > from).length;
  return bands;
}
