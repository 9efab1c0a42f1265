/** Failure modes of a recommender, and their report. */
export * from './bad-case-report.js';
export * from './bad-cases.js';
export * from './badcase-options.js';
