export * from './metric-lines.js';
export * from './run-folder.js';
export * from './run-lock.js';
export * from './stage.js';
export * from './tensorboard-events.js';
export * from './tensorboard-log.js';
export * from './code-version.js';
export * from './inputs.js';
