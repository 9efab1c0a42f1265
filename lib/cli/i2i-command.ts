/** `sidlab i2i`: the table of encoders, and its figures. */
import { join } from 'node:path';
import type { I2iOptions } from '../embed/i2i/i2i-options.js';
import { i2iStage, type I2iRow } from '../embed/i2i/i2i-stage.js';
import { exportFigure } from '../figures/export-figure.js';
import { metricBars } from '../figures/metric-bars.js';
import { rankDistribution } from '../figures/rank-distribution.js';

/** What `sidlab i2i` gives back. */
export interface I2iCommandReport {
  /** One an encoder. */
  rows: I2iRow[];
  /** Files. */
  figures: string[];
}

/** Bands of ranks among all items. */
const BANDS = [1, 5, 10, 50, 100, 500, 1000];

/** Measures, and draws Hit@k of all encoders and the ranks of each. */
export async function i2iCommand(options: I2iOptions): Promise<I2iCommandReport> {
  const { rows, ranks } = await i2iStage(options);
  const folder = options.out ?? join(options.data, 'figures');
  const metrics = Object.keys(rows[0] ?? {}).filter((name) => name.startsWith('Hit@'));
  const bars = metricBars(rows as unknown as Record<string, unknown>[], {
    title: 'Share of items whose most frequent neighbour is among the first k',
    name: 'encoder',
    metrics,
  });
  const figures = await exportFigure(bars, join(folder, 'i2i'));
  for (const [encoder, of] of Object.entries(ranks)) {
    const title = `Rank of the most frequent neighbour, ${encoder}`;
    figures.push(
      ...(await exportFigure(rankDistribution(of, { bands: BANDS, title }), join(folder, `i2i-${encoder}`))),
    );
  }
  return { rows, figures };
}
