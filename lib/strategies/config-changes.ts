/** Options of a configuration by their path, `sft.epochs`: read, and changed in a copy. */
import type { PipelineConfig } from '../pipeline/config.js';
import type { Changes } from './strategy.js';

type Fields = Record<string, unknown>;

/** The value of an option; undefined where it is not set. */
export function optionOf(config: PipelineConfig, path: string): unknown {
  return path.split('.').reduce((at: unknown, name) => (isFields(at) ? at[name] : undefined), config);
}

/** A number that is set, or the stage's default. */
export function numberOf(config: PipelineConfig, path: string, otherwise: number): number {
  const value = optionOf(config, path);
  return typeof value === 'number' ? value : otherwise;
}

/** A copy with the changes; nothing of the given configuration changes. */
export function changed(config: PipelineConfig, changes: Changes): PipelineConfig {
  return Object.entries(changes).reduce((now, [path, value]) => put(now, path.split('.'), value), config);
}

function put<T extends object>(at: T, [name, ...rest]: readonly string[], value: unknown): T {
  const { [name!]: old, ...others } = at as Fields;
  if (rest.length > 0) return { ...others, [name!]: put(isFields(old) ? old : {}, rest, value) } as T;
  return (value === null ? others : { ...others, [name!]: value }) as T;
}

function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
