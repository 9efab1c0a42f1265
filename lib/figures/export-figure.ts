/** A figure -> SVG and PNG files, without a browser: Plotly in jsdom draws the SVG, resvg the PNG. */
import { existsSync, statSync } from 'node:fs';
import { writeAtomic } from '../files/files.js';
import { InputError } from '../support/errors.js';
import { tell } from '../support/progress.js';
import type { Figure } from './figure.js';
import { fontPackage, missingGlyphs } from './missing-glyphs.js';
import { plotlyWindow } from './plotly-window.js';
import { xmlTexts } from './text.js';

/** Options of `exportFigure` and `toPng`. */
export interface ExportFigureOptions {
  /** Pixels of the PNG for one of the figure. Default 2. */
  scale?: number;
  /** Font files, or folders of them, beside those of the system, such as one with Chinese. Default none. */
  fonts?: readonly string[];
}

/** The figure as SVG. Same figure, same text. */
export async function toSvg(figure: Figure): Promise<string> {
  const { document, plotly } = await plotlyWindow();
  const element = document.createElement('div');
  document.body.append(element);
  try {
    const { width = 900, height = 500 } = figure.layout as { width?: number; height?: number };
    const { data, layout } = xmlTexts(figure); // a copy: Plotly writes into what it is given
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

const FONTS = { loadSystemFonts: true, defaultFontFamily: 'DejaVu Sans', sansSerifFamily: 'DejaVu Sans' };

/**
 * SVG -> PNG, with the fonts of this machine. Characters that none of them has are missing from the PNG (not from the SVG),
 * and without any font there is no text at all: one line says so, once, and names the package with the font.
 */
export async function toPng(svg: string, options: ExportFigureOptions = {}): Promise<Uint8Array> {
  const { scale = 2, fonts = [] } = options;
  if (!(scale > 0 && scale <= 10)) throw new InputError(`toPng: expected scale in (0, 10], got ${scale}`);
  const missing = fonts.find((path) => !existsSync(path));
  if (missing !== undefined)
    throw new InputError(`toPng: expected fonts to be files or folders, ${missing} is neither`);
  const { Resvg } = await import('@resvg/resvg-js');
  const [fontDirs, fontFiles] = [true, false].map((dir) =>
    fonts.filter((path) => statSync(path).isDirectory() === dir),
  );
  const font = { ...FONTS, fontDirs: fontDirs!, fontFiles: fontFiles! };
  const probe = new Resvg('<svg xmlns="http://www.w3.org/2000/svg"><text y="20">M</text></svg>', { font });
  if (probe.getBBox() === undefined) {
    warnOnce('fonts-dejavu-core', 'there is no font on this machine, PNGs lack their texts');
  } else {
    warnOfBoxes(missingGlyphs(Resvg, svg, font));
  }
  const drawing = new Resvg(svg, { fitTo: { mode: 'zoom', value: scale }, background: '#ffffff', font });
  return drawing.render().asPng();
}

function warnOfBoxes(missing: readonly string[]): void {
  for (const name of new Set(missing.map(fontPackage))) {
    const boxes = missing.filter((character) => fontPackage(character) === name);
    const shown = boxes.slice(0, 4).join(' ') + (boxes.length > 4 ? ` and ${boxes.length - 4} more` : '');
    warnOnce(name, `no font on this machine has ${shown}: missing from the PNG (the SVG is whole)`);
  }
}

const warned = new Set<string>(); // packages

function warnOnce(name: string, what: string): void {
  if (warned.has(name)) return;
  warned.add(name);
  tell(`figures: ${what}; install one (Debian and Ubuntu: ${name}) or give exportFigure the option fonts`);
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
