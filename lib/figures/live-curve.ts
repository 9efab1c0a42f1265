/** A training run's curve that draws itself while the run logs, and stays whole in the saved notebook. */
import { liveFigure, type LiveFigureOptions } from './display.js';
import { lossCurve, type LossCurveOptions } from './loss-curve.js';

/** A curve that draws itself while a run logs, as `liveCurve` gives it. */
export interface LiveCurve {
  /** Give it to a run as its `onLog`; it may be called at every step. */
  onLog: (rows: readonly object[]) => void;
  /**
   * Draws the curve a last time, in all formats.
   * @param rows of `metrics.jsonl`, for a run that was finished before and logs nothing; default what was logged last
   */
  end(rows?: readonly object[]): Promise<void>;
}

/**
 * @example
 * const live = liveCurve({ metric: 'valid NDCG@10' });
 * await sft({ ...options, run, onLog: live.onLog });
 * await live.end(readMetrics(`${run}/metrics.jsonl`));
 */
export function liveCurve(options: LossCurveOptions & LiveFigureOptions = {}): LiveCurve {
  const { every, ...curve } = options;
  const figure = liveFigure(every === undefined ? {} : { every });
  const onLog: LiveCurve['onLog'] = (rows) => figure.update(() => lossCurve(rows, curve));
  return {
    onLog,
    async end(rows) {
      if (rows) onLog(rows);
      await figure.end();
    },
  };
}
