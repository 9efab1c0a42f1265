/**
 * Figures in a notebook: one output in three formats. JupyterLab and VS Code draw the Plotly one (interactive, without
 * a network), GitHub and print take the SVG, a terminal the text.
 */
import { toSvg } from './export-figure.js';
import type { Figure, Json } from './figure.js';
import { type Faces, inNotebook, UpdatingOutput, writeFaces } from './notebook.js';
import { unescapeText, xmlTexts } from './text.js';

/** Without `typesetMath: false` a page with MathJax reads `$9 lamp, $12 chair` as a formula. */
const CONFIG = { responsive: true, typesetMath: false };
const PLOTLY = 'application/vnd.plotly.v1+json';

/** Shows a figure in the running cell; outside a notebook prints one line about it. */
export async function display(figure: Figure): Promise<void> {
  if (!inNotebook()) {
    process.stdout.write(figureText(figure) + '\n');
    return;
  }
  writeFaces(await facesOf(figure));
}

async function facesOf(figure: Figure): Promise<Faces> {
  return { ...quickFaces(figure), 'image/svg+xml': await toSvg(figure) };
}

function quickFaces(figure: Figure): Faces {
  const { data, layout } = xmlTexts(figure); // half a surrogate pair stops a notebook from being saved
  return { [PLOTLY]: { data, layout, config: CONFIG }, 'text/plain': figureText(figure) };
}

/** `[figure: Training loss]` */
export function figureText(figure: Figure): string {
  const title = figure.layout.title as { text?: Json } | undefined;
  return `[figure: ${unescapeText(String(title?.text ?? 'without a title'))}]`;
}

/** Options of `liveFigure`. */
export interface LiveFigureOptions {
  /** Milliseconds between two drawings at least; updates in between are left out. Default 500. */
  every?: number;
}

/** A figure that is redrawn in place, as `liveFigure` gives it. */
export interface LiveFigure {
  /**
   * Replaces what is shown, in the Plotly and text formats only. A function is called only when it is time to draw, so
   * that a loop may call this at every step.
   */
  update(figure: Figure | (() => Figure)): void;
  /** Shows the last update in all three formats, so that the saved notebook keeps it. */
  end(): Promise<void>;
}

/** A figure that is redrawn in place, such as a loss curve while training. Outside a notebook nothing is shown. */
export function liveFigure(options: LiveFigureOptions = {}): LiveFigure {
  const { every = 500 } = options;
  const output = new UpdatingOutput();
  let last: Figure | (() => Figure) | undefined;
  const draw = (figure: Figure | (() => Figure)): Figure => (typeof figure === 'function' ? figure() : figure);
  let drawn = -Infinity;
  return {
    update(figure) {
      last = figure;
      if (performance.now() - drawn < every) return;
      drawn = performance.now();
      output.write(quickFaces(draw(figure)));
    },
    async end() {
      if (last && inNotebook()) output.write(await facesOf(draw(last)));
    },
  };
}
