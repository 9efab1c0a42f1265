/** The two paths of a walk, drawn: one line while they are the same, then two, each edge with its token and probability. */
import { axis, type Figure, layout, lineStyle, markerStyle } from '../../figures/figure.js';
import { label } from '../../figures/text.js';
import type { CaseWalk, WalkStep } from './walk-case.js';

/**
 * @param titles of target and winner, for the legend
 */
export function casePath(
  { targetPath, winnerPath, shared }: CaseWalk,
  titles: { target: string; winner: string },
  options: { title?: string } = {},
): Figure {
  const { title = 'Where the path left the true item' } = options;
  const names = [`wanted: ${titles.target}`, `won: ${titles.winner}`].map((name) => label(name, 60));
  // the paths part to both sides of the line that they share
  const trace = (path: readonly WalkStep[], i: number, side: number) => ({
    ...{ type: 'scatter', mode: 'lines+markers+text', name: names[i]! },
    ...{ line: lineStyle(i), marker: markerStyle(i, 12) },
    x: [0, ...path.map((_, step) => step + 1)],
    y: [0, ...path.map((_, step) => (step < shared ? 0 : side))],
    text: ['', ...path.map((step, at) => (i === 1 && at < shared ? '' : edgeText(step)))],
    textposition: ['', ...path.map((_, at) => (side < 0 ? 'bottom center' : at < shared ? 'top left' : 'top center'))],
    cliponaxis: false,
  });
  const steps = Math.max(targetPath.length, winnerPath.length);
  const product = (path: readonly WalkStep[]): string => percent(path.reduce((all, { probability }) => all * probability, 1)); // prettier-ignore
  return {
    data: [trace(targetPath, 0, 1), trace(winnerPath, 1, -1)],
    layout: layout(
      title,
      {
        showlegend: true,
        height: 430,
        margin: { l: 30, r: 70, t: 110, b: 60 },
        legend: { orientation: 'v', x: 0, y: 1.02, xanchor: 'left', yanchor: 'bottom', font: { size: 14 } },
        xaxis: axis({
          title: `tokens written; in all ${product(targetPath)} for the wanted item, ${product(winnerPath)} for the winner`,
          most: 90,
          dtick: 1,
          range: [-0.2, steps + 0.35],
          showgrid: false,
        }),
        yaxis: { visible: false, range: [-1.9, 1.9], fixedrange: true },
      },
      names,
    ),
  };
}

function edgeText({ token, probability }: WalkStep): string {
  return `${label(token, 12)} ${percent(probability)}`;
}

function percent(share: number): string {
  const value = 100 * share;
  return `${value >= 10 ? value.toFixed(0) : value >= 0.1 ? value.toFixed(1) : value.toPrecision(1)} %`;
}
