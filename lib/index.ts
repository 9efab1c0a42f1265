/** Everything: a notebook's `import * as sidlab from 'sidlab'`. Each folder is also a sub-path, such as `sidlab/figures`. */
export * from './badcase/index.js';
export * from './baselines/index.js';
export * from './data/index.js';
export * from './decode/index.js';
export * from './embed/index.js';
export * from './engine/index.js';
export * from './evaluate/index.js';
export * from './figures/index.js';
export * from './files/index.js';
export * from './lm/index.js';
export * from './ops/index.js';
export * from './pipeline/index.js';
export * from './runs/index.js';
export * from './sid/index.js';
export * from './support/index.js';
export * from './tasks/index.js';
export * from './train/index.js';
