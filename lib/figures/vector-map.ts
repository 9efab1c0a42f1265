/** Item vectors on a plane: two of their dimensions, a marker and a colour a group. */
import { axis, COLOURS, type Figure, layout, markerStyle } from './figure.js';
import { label } from './text.js';

/** Options of `vectorMap`. */
export interface VectorMapOptions {
  /** Default `Items by two dimensions of their vectors`. */
  title?: string;
  /** Groups with a colour of their own, the largest ones; the rest is grey. Default 6. */
  groups?: number;
  /** Names of the two axes. */
  axes?: readonly [string, string];
}

/**
 * A point an item, a colour and a marker a group.
 * @param points one an item [N][2]
 * @param names group of each item [N], such as its category
 */
export function vectorMap(
  points: readonly (readonly [number, number])[],
  names: readonly string[],
  options: VectorMapOptions = {},
): Figure {
  const { title = 'Items by two dimensions of their vectors', groups = COLOURS.length - 1, axes = ['', ''] } = options;
  const counts = new Map<string, number>();
  for (const name of names) counts.set(name, (counts.get(name) ?? 0) + 1);
  const largest = [...counts].sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1)).slice(0, groups);
  const shown = new Set(largest.map(([name]) => name));
  const trace = (name: string, i: number, of: (group: string) => boolean): Figure['data'][number] => {
    const chosen = [...points.keys()].filter((item) => of(names[item]!));
    return {
      type: 'scatter',
      mode: 'markers',
      name: label(name, 24),
      x: chosen.map((item) => Number(points[item]![0].toPrecision(4))),
      y: chosen.map((item) => Number(points[item]![1].toPrecision(4))),
      marker: i < 0 ? { color: '#cccccc', size: 5 } : markerStyle(i, 7),
      hoverinfo: 'name',
    };
  };
  const rest = counts.size > shown.size ? [trace('others', -1, (group) => !shown.has(group))] : [];
  const data = [...rest, ...largest.map(([name], i) => trace(name, i, (group) => group === name))];
  return {
    data,
    layout: layout(
      title,
      {
        showlegend: true,
        xaxis: axis({ title: axes[0], rangemode: 'normal' }),
        yaxis: axis({ title: axes[1], most: 32, rangemode: 'normal' }),
      },
      data.map(({ name }) => name as string),
    ),
  };
}
