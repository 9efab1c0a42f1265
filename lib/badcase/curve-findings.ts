/** What the curves of a model's training say: whether it was stopped too early or too late. */
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { readJson } from '../files/files.js';
import { type MetricLine, readMetrics } from '../runs/metric-lines.js';
import type { CurveFinding } from './report-shape.js';

/** A change of less than this part of what training gained is noise. */
const NOISE = 0.1;

/** Of the run that a model folder is of, where it lies in one; else none. @param model folder */
export function curveFindings(model: string): CurveFinding[] {
  const run = dirname(model);
  const [config, metrics] = [join(run, 'config.json'), join(run, 'metrics.jsonl')];
  if (!existsSync(config) || !existsSync(metrics)) return [];
  const { stage } = readJson<{ stage?: unknown }>(config);
  if (stage !== 'sft' && stage !== 'grpo') return [];
  const finding = curveFinding(stage, readMetrics(metrics));
  return finding === undefined ? [] : [finding];
}

/**
 * By the metric that says most of a ranking: NDCG at the largest cut-off; the validation loss, its sign turned, where there
 * is none.
 * @param lines of `metrics.jsonl`
 * @returns undefined where there are fewer than two validations
 */
export function curveFinding(stage: CurveFinding['stage'], lines: readonly MetricLine[]): CurveFinding | undefined {
  const metric = metricOf(lines);
  if (metric === undefined) return undefined;
  const points = lines.flatMap((line) =>
    line[metric] === undefined ? [] : [{ step: line.step, value: line[metric] }],
  );
  if (points.length < 2) return undefined;
  const sign = metric.endsWith('loss') ? -1 : 1;
  const better = (a: number, b: number): boolean => sign * a > sign * b;
  const best = points.reduce((found, point) => (better(point.value, found.value) ? point : found));
  const [first, last] = [points[0]!, points.at(-1)!];
  const before = points.slice(0, -1).reduce((found, { value }) => (better(value, found) ? value : found), first.value);
  const noise = NOISE * Math.abs(best.value - first.value);
  const state =
    stage === 'grpo' && better(first.value, last.value)
      ? 'below its start'
      : sign * (last.value - before) > noise
        ? 'still improving'
        : sign * (best.value - last.value) > noise
          ? 'over-fitted'
          : 'settled';
  return {
    ...{ stage, metric, first: first.value, best: best.value, bestStep: best.step },
    ...{ last: last.value, lastStep: last.step, state },
  };
}

function metricOf(lines: readonly MetricLine[]): string | undefined {
  const names = [...new Set(lines.flatMap((line) => Object.keys(line)))];
  const cut = (name: string): number => Number(name.slice(name.indexOf('@') + 1));
  const ranking = names.filter((name) => name.startsWith('valid NDCG@')).sort((a, b) => cut(b) - cut(a));
  return ranking[0] ?? names.find((name) => name === 'valid loss');
}
