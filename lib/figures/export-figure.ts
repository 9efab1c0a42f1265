/** A figure -> SVG and PNG files, without a browser: Plotly in jsdom draws the SVG, resvg the PNG. */
import { writeAtomic } from '../files/files.js';
import { InputError } from '../support/errors.js';
import type { Figure } from './figure.js';
import { plotlyWindow } from './plotly-window.js';

export interface ExportFigureOptions {
  /** Pixels of the PNG for one of the figure. Default 2. */
  scale?: number;
}

/** The figure as SVG. Same figure, same text. */
export async function toSvg(figure: Figure): Promise<string> {
  const { document, plotly } = await plotlyWindow();
  const element = document.createElement('div');
  document.body.append(element);
  try {
    const { width = 900, height = 500 } = figure.layout as { width?: number; height?: number };
    const { data, layout } = structuredClone(figure); // Plotly writes into what it is given
    data.forEach((trace, i) => (trace.uid = `trace${i}`)); // else random
    await plotly.newPlot(element, data, { ...layout, width, height }, { staticPlot: true });
    const options = { format: 'svg', width, height, imageDataOnly: true };
    return stableIds(await plotly.toImage(element, options));
  } finally {
    plotly.purge(element);
    element.remove();
  }
}

/** Plotly names a drawing's definitions after a random number; 0 does as well and makes equal figures equal files. */
function stableIds(svg: string): string {
  const random = /id="topdefs-([0-9a-f]+)"/.exec(svg)?.[1];
  return random === undefined ? svg : svg.replace(new RegExp(`(defs-|clip|legend|\\bp)${random}`, 'g'), '$1000000');
}

const FONT = { loadSystemFonts: true, defaultFontFamily: 'DejaVu Sans', sansSerifFamily: 'DejaVu Sans' };
let warned = false;

/**
 * SVG -> PNG, with the fonts of this machine. Where it has none, texts are missing from the PNG (not from the SVG) and
 * one line on standard error says so, once.
 */
export async function toPng(svg: string, options: ExportFigureOptions = {}): Promise<Uint8Array> {
  const { scale = 2 } = options;
  if (!(scale > 0 && scale <= 10)) throw new RangeError(`toPng: expected scale in (0, 10], got ${scale}`);
  const { Resvg } = await import('@resvg/resvg-js');
  const probe = new Resvg('<svg xmlns="http://www.w3.org/2000/svg"><text y="20">M</text></svg>', { font: FONT });
  if (probe.getBBox() === undefined && !warned) {
    warned = true;
    process.stderr.write('figures: no font on this machine, PNGs lack their texts; install one (fonts-dejavu-core)\n');
  }
  const drawing = new Resvg(svg, { fitTo: { mode: 'zoom', value: scale }, background: '#ffffff', font: FONT });
  return drawing.render().asPng();
}

/**
 * Writes `PATH.svg` and `PATH.png`.
 * @param path without an extension
 * @returns the two files
 */
export async function exportFigure(figure: Figure, path: string, options: ExportFigureOptions = {}): Promise<string[]> {
  if (/\.(svg|png|html)$/i.test(path)) {
    throw new InputError(`exportFigure: expected a path without an extension, got ${path}; leave it out`);
  }
  const svg = await toSvg(figure);
  const png = await toPng(svg, options);
  writeAtomic(`${path}.svg`, svg);
  writeAtomic(`${path}.png`, png);
  return [`${path}.svg`, `${path}.png`];
}
