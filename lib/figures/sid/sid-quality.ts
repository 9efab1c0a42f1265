/** Semantic IDs at a glance: what each level keeps and uses, and what a shared beginning says of two items. */
import { axis, barStyle, type Figure, layout, lineStyle, markerStyle } from '../figure.js';
import { labels } from '../text.js';

/** A level of an index, as a quality report has it. */
export interface LevelRow {
  /** Letter of the level, such as `a`. */
  level: string;
  /** Codes there are. */
  codes: number;
  /** Codes that at least one item has. */
  used: number;
  /** exp(entropy) of the codes' frequencies, in [1, codes]. */
  perplexity: number;
}

/**
 * Two bars a level: codes in use and their perplexity, as shares of the codes there are.
 * @param levels one row a level
 */
export function sidLevels(levels: readonly LevelRow[], options: { title?: string } = {}): Figure {
  const { title = 'How much of each level is used' } = options;
  const x = labels(levels.map(({ level, codes }) => `level ${level} (${codes} codes)`));
  const bars = (name: string, i: number, y: number[]) => ({
    ...{ type: 'bar', name, x, y, marker: barStyle(i) },
    ...{ text: y.map((share) => `${Math.round(100 * share)} %`), textposition: 'outside', cliponaxis: false },
  });
  return {
    data: [
      bars(
        'codes in use',
        0,
        levels.map(({ used, codes }) => used / codes),
      ),
      bars(
        'perplexity',
        1,
        levels.map(({ perplexity, codes }) => perplexity / codes),
      ),
    ],
    layout: layout(title, {
      barmode: 'group',
      showlegend: true,
      xaxis: axis({ type: 'category' }),
      yaxis: axis({ title: 'share of the codes', tickformat: '.0%', range: [0, 1.1] }),
    }),
  };
}

/** What a shared prefix of one length says, as a quality report has it; null where it was not measured. */
export interface PrefixRow {
  /** Codes of the prefix. */
  length: number;
  /** Share of items with the commonest category of their prefix, in [0, 1]. */
  purity: number | null;
  /** The same with categories shuffled. */
  purityByChance: number | null;
  /** Share of items whose nearest neighbour has the same prefix, in [0, 1]. */
  neighbours: number | null;
  /** The same of random pairs. */
  neighboursByChance: number | null;
}

/**
 * Lines over the length of a prefix: how often neighbours share it, and how pure it is, each beside chance.
 * @param prefixes one row a length; what is null is not drawn
 */
export function sidPrefixes(prefixes: readonly PrefixRow[], options: { title?: string } = {}): Figure {
  const { title = 'What a shared beginning says' } = options;
  const series = [
    ['nearest neighbours that share it', 'neighbours', 0],
    ['random pairs that share it', 'neighboursByChance', 1],
    ['purity by category', 'purity', 2],
    ['purity by chance', 'purityByChance', 3],
  ] as const;
  return {
    data: series.flatMap(([name, field, i]) => {
      const rows = prefixes.filter((row) => row[field] !== null);
      if (rows.length === 0) return [];
      return [
        {
          ...{ type: 'scatter', mode: 'lines+markers', name, line: lineStyle(i), marker: markerStyle(i) },
          ...{ x: rows.map(({ length }) => length), y: rows.map((row) => row[field]) },
        },
      ];
    }),
    layout: layout(
      title,
      {
        showlegend: true,
        xaxis: axis({ title: 'codes in the beginning', dtick: 1, range: [0.8, prefixes.length + 0.2] }),
        yaxis: axis({ title: 'share', tickformat: '.0%', range: [-0.02, 1.05] }),
      },
      series.map(([name]) => name),
    ),
  };
}
