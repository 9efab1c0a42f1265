/** Rows and results as tables, for arquero and for danfo.js. */
export { rowsOf, type Rows } from './rows-of.js';
export type { TableLike } from './shapes.js';
export * from './to-data-frame.js';
export * from './to-table.js';
