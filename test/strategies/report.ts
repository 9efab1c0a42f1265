/** A bad-case report that tests fill in. */
import type { BadCaseFile, StrategyName, Verdict } from '../../lib/badcase/report-shape.js';

export function reportOf(fields: Partial<BadCaseFile> = {}): BadCaseFile {
  return {
    ...{ version: 1, rows: 100, failed: 60, failureRate: 0.6, topK: 10 },
    ranks: { '1-10': 40, '11-20': 10, '21-50': 20, beyond: 30 },
    ...{ modes: {}, named: [], notRun: {}, sidQuality: null, curves: [], verdicts: [], titles: {}, cases: [] },
    ...fields,
  };
}

export function verdict(finding: string, value: number, ...strategies: StrategyName[]): Verdict {
  return { finding, value, threshold: 0.2, words: `${finding} is ${value}.`, advice: 'Do.', strategies };
}
