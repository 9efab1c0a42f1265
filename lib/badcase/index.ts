/** Failure modes of a recommender, their detectors, and their report. */
export * from './bad-case-report.js';
export * from './bad-cases.js';
export * from './badcase-options.js';
export * from './detector.js';
export * from './detectors.js';
export * from './report-shape.js';
export { tailItems } from './modes/long-tail.js';
