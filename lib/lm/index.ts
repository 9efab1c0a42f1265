export * from './attention-plan.js';
export * from './config.js';
export * from './decoder.js';
export * from './forest.js';
export * from './model.js';
export * from './prompts.js';
export * from './tokenizer.js';
export * from './weights.js';
