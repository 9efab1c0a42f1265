/** From bad cases to another configuration: strategies, what calls for them, what they change. */
export * from './choose.js';
export * from './config-changes.js';
export * from './sid-candidates.js';
export * from './strategies-options.js';
export * from './strategies-stage.js';
export * from './strategies.js';
export * from './strategy.js';
