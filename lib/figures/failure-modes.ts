/** Failure modes: what share of the failed rows has each, and how much oftener than rows that did not fail. */
import { axis, barStyle, type Figure, layout } from './figure.js';
import { labels } from './text.js';
import { largest } from '../support/extremes.js';

/** Options of `failureModes`. */
export interface FailureModesOptions {
  /** Default `Where the true item is missing from the list`. */
  title?: string;
}

/** What is drawn of a mode, as a report of bad cases has it. */
export interface DrawnMode {
  /** Failed rows of the mode. */
  count: number;
  /** Of all failed rows, in [0, 1]. */
  share: number;
  /** How much oftener failed rows have it than others; null for a symptom. */
  lift: number | null;
  /** Ends of the lift's interval, where it has one. */
  low?: number | null;
  high?: number | null;
  /** Whether found rows can have it too. Default `cause`. */
  kind?: 'cause' | 'symptom';
  /** Whether it was found to be a cause. Default false. */
  named?: boolean;
}

const GROUPS = ['named cause', 'other cause', 'symptom'] as const;

/**
 * One horizontal bar a mode that some failed row has, the largest on top; named causes, other causes and symptoms differ in
 * colour and hatching.
 */
export function failureModes(modes: Readonly<Record<string, DrawnMode>>, options: FailureModesOptions = {}): Figure {
  const { title = 'Where the true item is missing from the list' } = options;
  const entries = Object.entries(modes)
    .filter(([, { count }]) => count > 0)
    .sort((a, b) => a[1].count - b[1].count); // the largest comes out on top
  const names = labels(
    entries.map(([name]) => name),
    24,
  );
  const most = largest(
    entries.map(([, { share }]) => share),
    0.01,
  );
  const groups = entries.map(([, { named, kind }]) => (named ? 0 : kind === 'symptom' ? 2 : 1));
  const data = GROUPS.flatMap((group, g) => {
    const bars = entries.flatMap(([, mode], i) => (groups[i] === g ? [{ mode, y: names[i]! }] : []));
    if (bars.length === 0) return [];
    return [
      {
        type: 'bar',
        orientation: 'h',
        name: group,
        y: bars.map(({ y }) => y),
        x: bars.map(({ mode }) => mode.share),
        marker: barStyle(g),
        text: bars.map(({ mode }) => beside(mode)),
        textposition: 'outside',
        cliponaxis: false,
      },
    ];
  });
  return {
    data,
    layout: layout(
      title,
      {
        showlegend: data.length > 1,
        height: Math.max(260, 150 + (entries.length > 8 ? 38 : 60) * entries.length),
        bargap: 0.35,
        barmode: 'overlay',
        // Room on the right for the text beside the longest bar.
        xaxis: axis({
          title: 'share of failed rows',
          tickformat: '.0%',
          range: [0, 1.9 * most],
          ...(most > 0.55 ? SHARES : {}),
        }),
        yaxis: axis({ type: 'category', ticks: '', showgrid: false, categoryorder: 'array', categoryarray: names }),
      },
      [...GROUPS],
    ),
  };
}

/** No share is above 1, though the axis goes on. */
const SHARES = { tickvals: [0, 0.2, 0.4, 0.6, 0.8, 1] };

function beside({ count, lift, low, high }: DrawnMode): string {
  const rows = `${count} ${count === 1 ? 'row' : 'rows'}`;
  if (lift === null) return rows;
  const interval = typeof low === 'number' && typeof high === 'number' ? ` (${brief(low)} to ${brief(high)})` : '';
  return `${rows}, ${brief(lift)} × as often${interval}`;
}

const brief = (value: number): string => (value >= 100 ? value.toFixed(0) : value.toPrecision(value >= 1 ? 3 : 2));
