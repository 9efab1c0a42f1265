/** Options of stages, declared once: types, defaults, checks, flags, JSON Schema and fingerprints are derived from them. */
export * from './derive.js';
export * from './flags.js';
export * from './kinds.js';
export * from './nearest.js';
export * from './option.js';
export * from './schema.js';
