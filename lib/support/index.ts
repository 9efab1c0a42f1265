export * from './errors.js';
export * from './interrupt.js';
export * from './progress.js';
export * from './random.js';
export * from './schedule.js';
