/**
 * Plotly in a browser window of jsdom, loaded when the first figure is drawn (about a second).
 *
 * plotly.js-dist wants a browser; jsdom lacks what is stubbed here: text sizes (`getBBox`,
 * `getBoundingClientRect`, `getComputedTextLength`, estimated by `svg-box.ts`), `getContext`, `createObjectURL`,
 * `matchMedia`. Nothing is fetched and no script but Plotly's own runs in the window.
 */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import type { DOMWindow } from 'jsdom';
import type { Figure } from './figure.js';
import { type Box, localBox, pageBox } from './svg-box.js';

/** A window without a screen, with Plotly loaded in it. */
export interface PlotlyWindow {
  /** Where figures are drawn. */
  document: Document;
  /** The functions of Plotly that are used. */
  plotly: {
    newPlot(element: Element, data: Figure['data'], layout: Figure['layout'], config: object): Promise<unknown>;
    toImage(element: Element, options: object): Promise<string>;
    purge(element: Element): void;
  };
}

const require = createRequire(import.meta.url);
let loaded: Promise<PlotlyWindow> | undefined;

/** The one window of this process. */
export function plotlyWindow(): Promise<PlotlyWindow> {
  loaded ??= load();
  return loaded;
}

async function load(): Promise<PlotlyWindow> {
  const { JSDOM, VirtualConsole } = await import('jsdom');
  const { window } = new JSDOM('<!DOCTYPE html><body></body>', {
    runScripts: 'outside-only',
    pretendToBeVisual: true,
    virtualConsole: new VirtualConsole(), // silent: "not implemented" of what is not needed
  });
  stub(window);
  window.eval(readFileSync(require.resolve('plotly.js-dist'), 'utf8'));
  return { document: window.document, plotly: (window as DOMWindow & { Plotly: PlotlyWindow['plotly'] }).Plotly };
}

function stub(window: DOMWindow): void {
  Object.assign(window.SVGElement.prototype, {
    getBBox(this: Element) {
      return asRectangle(localBox(this) ?? { left: 0, top: 0, right: 0, bottom: 0 });
    },
    getBoundingClientRect(this: Element) {
      return asRectangle(pageBox(this));
    },
    getComputedTextLength(this: Element) {
      const box = localBox(this);
      return box ? box.right - box.left : 0;
    },
  });
  Object.assign(window.HTMLCanvasElement.prototype, { getContext: () => null });
  Object.assign(window.URL, { createObjectURL: () => 'blob:none', revokeObjectURL: () => undefined });
  Object.assign(window, {
    TextDecoder,
    TextEncoder,
    matchMedia: () => ({ matches: false, addListener: () => undefined, removeListener: () => undefined }),
  });
}

function asRectangle(box: Box) {
  return { ...box, x: box.left, y: box.top, width: box.right - box.left, height: box.bottom - box.top };
}
