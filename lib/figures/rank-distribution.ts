/** At which rank the true item comes: a bar a band of ranks, the last one for lists that lack it. */
import { axis, barStyle, type Figure, layout } from './figure.js';

/** Options of `rankDistribution`. */
export interface RankDistributionOptions {
  /** Default `Rank of the true item`. */
  title?: string;
  /** Last rank of each band. Default 1, 3, 5, 10, 20, 50. */
  bands?: readonly number[];
}

/**
 * A bar a band of ranks, the last one for lists without the item.
 * @param ranks from 1; 0 where the list lacks the item. A rank beyond the last band is in the last bar too, which says so
 */
export function rankDistribution(ranks: readonly number[], options: RankDistributionOptions = {}): Figure {
  const { title = 'Rank of the true item', bands = [1, 3, 5, 10, 20, 50] } = options;
  const counts = Array<number>(bands.length + 1).fill(0);
  for (const rank of ranks) {
    const band = rank > 0 ? bands.findIndex((last) => rank <= last) : -1;
    counts[band < 0 ? bands.length : band]!++;
  }
  const names = bands.map((last, i) => {
    const first = (bands[i - 1] ?? 0) + 1;
    return first === last ? String(last) : `${first} to ${last}`;
  });
  const last = bands.at(-1) ?? 0;
  const lacking = ranks.some((rank) => rank > last) ? `beyond ${last}, or not listed` : 'not listed';
  const all = Math.max(1, ranks.length);
  const bars = (name: string, style: number, from: number, to: number) => ({
    type: 'bar',
    name,
    x: [...names, lacking].slice(from, to),
    y: counts.slice(from, to).map((count) => count / all),
    text: counts.slice(from, to).map(String),
    textposition: 'outside',
    cliponaxis: false,
    marker: barStyle(style),
  });
  return {
    data: [bars('listed', 0, 0, bands.length), bars(lacking, 1, bands.length, bands.length + 1)],
    layout: layout(title, {
      showlegend: false,
      bargap: 0.25,
      xaxis: axis({ title: 'rank', type: 'category' }),
      yaxis: axis({ title: `share of ${ranks.length} rows`, tickformat: '.0%', rangemode: 'tozero' }),
    }),
  };
}
