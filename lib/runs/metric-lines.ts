/** `metrics.jsonl`: one line a training step or validation, numbers only. */
import { wholeLines } from '../files/whole-file.js';
import { InputError } from '../support/errors.js';

/** A line of `metrics.jsonl`: a step, and metrics by name. */
export interface MetricLine {
  /** Updates so far. */
  step: number;
  [name: string]: number;
}

/** Whether the smaller value of a validation metric is the better: of `loss`, and of a task's own (`loss sids`). */
export function smallerIsBetter(metric: string): boolean {
  return /^loss( |$)/.test(metric);
}

/** Lines of `metrics.jsonl`; a last line that a kill cut short is passed over. */
export function readMetrics(file: string): MetricLine[] {
  const lines = [...wholeLines(file, 'train first')].filter((line) => line !== '');
  return lines.flatMap((line, i) => {
    try {
      return [JSON.parse(line) as MetricLine];
    } catch {
      if (i === lines.length - 1) return [];
      throw new InputError(`${file}:${i + 1}: not valid JSON; remove the line`);
    }
  });
}
