/**
 * Options that are code: a reward, a SID method, a scorer of a notebook cell. No file holds them, so that the configuration of
 * a later round, which is written and read, has to get them back from the round before.
 */
import type { PipelineConfig } from './config.js';
import { STAGE_NAMES } from './pipeline-options.js';

type Fields = Record<string, unknown>;

/** What JSON can say of a configuration: options with code in them are left out. */
export function withoutCode(config: PipelineConfig): PipelineConfig {
  return mapStages(config, (options) => entriesOf(options, (value) => !holdsCode(value)));
}

/** A configuration that was read, with the code of the one that it was made from. */
export function withCodeOf(read: PipelineConfig, from: PipelineConfig): PipelineConfig {
  return mapStages(read, (options, stage) => {
    const code = entriesOf(((from as unknown as Fields)[stage] ?? {}) as Fields, holdsCode);
    return { ...code, ...options };
  });
}

function mapStages(config: PipelineConfig, change: (options: Fields, stage: string) => Fields): PipelineConfig {
  const fields = config as unknown as Fields;
  const stages = STAGE_NAMES.filter((stage) => typeof fields[stage] === 'object' && fields[stage] !== null);
  return { ...config, ...Object.fromEntries(stages.map((stage) => [stage, change(fields[stage] as Fields, stage)])) };
}

function entriesOf(options: Fields, keep: (value: unknown) => boolean): Fields {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => keep(value)));
}

function holdsCode(value: unknown): boolean {
  if (typeof value === 'function') return true;
  return typeof value === 'object' && value !== null && Object.values(value).some(holdsCode);
}
