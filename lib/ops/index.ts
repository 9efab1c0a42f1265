export * from './adamw.js';
export * from './custom-op.js';
export * from './embedding.js';
export * from './forest-attention.js';
export * from './rms-norm.js';
export * from './rotary.js';
export * from './swiglu.js';
export * from './target-log-probs.js';
