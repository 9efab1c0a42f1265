/** Tables -> Plotly figures; in a notebook, as SVG, as PNG. */
export * from './display.js';
export * from './export-figure.js';
export * from './failure-modes.js';
export * from './figure.js';
export * from './history-lengths.js';
export * from './live-curve.js';
export * from './loss-curve.js';
export * from './metric-bars.js';
export * from './notebook.js';
export * from './popularity-curve.js';
export * from './rank-distribution.js';
export * from './run-curves.js';
export * from './show-table.js';
export * from './sid-quality.js';
export * from './sid-usage.js';
export * from './use-notebook.js';
export * from './vector-map.js';
