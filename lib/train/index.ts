export * from './examples.js';
export * from './forest-part.js';
export * from './grpo.js';
export * from './loop.js';
export * from './optimizer.js';
export * from './rewards.js';
export * from './sft.js';
export * from './validate.js';
