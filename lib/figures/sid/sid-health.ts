/** Semantic IDs of a report of bad cases in one figure: how evenly levels are used, and what a shared prefix says. */
import { axis, barStyle, type Figure, layout } from '../figure.js';
import { labels } from '../text.js';
import { smallest } from '../../support/extremes.js';

/** What is drawn of a level. */
export interface HealthLevel {
  /** Its letter. */
  level: string;
  /** Codes there are, and codes in use. */
  codes: number;
  used: number;
  /** As many evenly used codes. */
  perplexity: number;
}

/** Mean likeness of items with the same prefix, and of others. */
export interface HealthGap {
  /** Codes of the prefix. */
  length: number;
  within: number | null;
  across: number | null;
}

/**
 * Left, two bars a level: codes in use and their perplexity, as shares of the codes there are. Right, two bars a length of
 * prefix: likeness of items that share it, and of items that do not. The title says how many items share a SID.
 * @param collisions items beyond the first of each SID, for the title
 */
export function sidHealth(
  { levels, gaps, collisions }: { levels: readonly HealthLevel[]; gaps: readonly HealthGap[]; collisions: number },
  options: { title?: string } = {},
): Figure {
  const { title = `Quality of the semantic IDs: ${collisions} collisions` } = options;
  const names = labels(levels.map(({ level, codes }) => `${level} (${codes} codes)`));
  const drawn = gaps.filter(({ within, across }) => within !== null && across !== null);
  const lengths = drawn.map(({ length }) => `${length} ${length === 1 ? 'code' : 'codes'}`);
  const bars = (name: string, style: number, x: string[], y: number[], right: boolean) => ({
    ...{ type: 'bar', name, x, y, marker: barStyle(style) },
    ...{ text: y.map((value) => value.toFixed(2)), textposition: 'outside', cliponaxis: false },
    ...(right ? { xaxis: 'x2', yaxis: 'y2' } : {}),
  });
  const share = (of: 'used' | 'perplexity'): number[] => levels.map((level) => level[of] / Math.max(1, level.codes));
  const data = [
    bars('codes in use', 0, names, share('used'), false),
    bars('perplexity', 1, names, share('perplexity'), false),
    ...(drawn.length > 0
      ? [
          bars('likeness, same prefix', 2, lengths, drawn.map(({ within }) => within!), true), // prettier-ignore
          bars('likeness, other prefix', 3, lengths, drawn.map(({ across }) => across!), true), // prettier-ignore
        ]
      : []),
  ];
  const half = drawn.length > 0 ? [0, 0.44] : [0, 1];
  return {
    data,
    layout: layout(
      title,
      {
        barmode: 'group',
        showlegend: true,
        xaxis: axis({ title: 'level', type: 'category', domain: half }),
        yaxis: axis({ title: 'share of the codes', tickformat: '.0%', range: [0, 1.15], most: 32 }),
        ...(drawn.length > 0
          ? {
              xaxis2: axis({ title: 'shared prefix', type: 'category', domain: [0.58, 1], anchor: 'y2' }),
              yaxis2: axis({
                ...{ title: 'mean likeness', anchor: 'x2', most: 32 },
                range: [
                  smallest(
                    drawn.map(({ across }) => 1.2 * across!),
                    0,
                  ),
                  1.15,
                ],
              }),
            }
          : {}),
      },
      data.map(({ name }) => name),
    ),
  };
}
