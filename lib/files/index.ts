export type { Encoding } from './encoding.js';
export * from './files.js';
export * from './half-floats.js';
export * from './input-files.js';
export { DTYPES, type Dtype } from './npy-header.js';
export * from './npy.js';
export { readNpz, writeNpz } from './npz.js';
export * from './safetensors.js';
