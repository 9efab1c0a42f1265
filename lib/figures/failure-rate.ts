/** How many rows fail, and how near the others of them were: parts of a ring. */
import { COLOURS, type Figure, layout } from './figure.js';

/** Rows by what became of their target. */
export interface RateParts {
  /** Among the first k. */
  found: number;
  /** By the band of ranks, such as `11 to 20`, in order; the last is of what is not listed. */
  missed: Readonly<Record<string, number>>;
}

const HATCHES = ['', '/', 'x', '.', '-', '\\'] as const;

/**
 * A ring of found rows and of missed ones by the rank of their target; its middle says the failure rate.
 * @param topK a row is found whose target is among the first so many
 */
export function failureRate({ found, missed }: RateParts, topK: number, options: { title?: string } = {}): Figure {
  const { title = `Rows whose true item is not among the first ${topK}` } = options;
  const parts = [[`found: 1 to ${topK}`, found] as const, ...Object.entries(missed)].filter(([, rows]) => rows > 0);
  const all = parts.reduce((sum, [, rows]) => sum + rows, 0);
  const failed = all - found;
  return {
    data: [
      {
        type: 'pie',
        hole: 0.55,
        sort: false,
        direction: 'clockwise',
        labels: parts.map(([name]) => name),
        values: parts.map(([, rows]) => rows),
        text: parts.map(([name, rows]) => `${name}<br>${rows} rows, ${((100 * rows) / all).toFixed(0)} %`),
        textinfo: 'text',
        textposition: 'outside',
        hoverinfo: 'text',
        automargin: true,
        marker: {
          colors: parts.map((_, i) => COLOURS[i % COLOURS.length]!),
          line: { color: '#222222', width: 1 },
          pattern: {
            shape: parts.map((_, i) => HATCHES[i % HATCHES.length]!),
            // Of a ring, Plotly wants a colour a part: a single one, or none, it warns of.
            fillmode: 'replace',
            fgcolor: parts.map(() => '#ffffff'),
            bgcolor: parts.map((_, i) => COLOURS[i % COLOURS.length]!),
            size: 8,
            solidity: 0.35,
          },
        },
      },
    ],
    layout: layout(title, {
      showlegend: false,
      height: 460,
      margin: { l: 150, r: 150, t: 88, b: 60 },
      annotations: [
        {
          text: all === 0 ? 'no rows' : `<b>${((100 * failed) / all).toFixed(0)} %</b><br>fail`,
          x: 0.5,
          y: 0.5,
          showarrow: false,
          font: { size: 24 },
        },
      ],
    }),
  };
}
