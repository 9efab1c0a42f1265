/**
 * The files and folders that a configuration names, from the root: it is written into run folders and read from other
 * places than where it was given.
 */
import { existsSync, statSync } from 'node:fs';
import { resolve } from 'node:path';
import type { Options } from '../options/option.js';
import { allOptions } from '../options/schema.js';
import { PIPELINE_OPTIONS, STAGE_NAMES, STAGE_SCHEMAS, type StageName } from './pipeline-options.js';

/**
 * A copy whose relative paths are absolute, seen from where the command runs. Where something else may stand in a path's
 * place, it is one if it is there and is a file or has a slash.
 */
export function withAbsolutePaths<C extends { readonly [S in StageName]?: object }>(config: C): C {
  const stages = STAGE_NAMES.filter((stage) => config[stage] !== undefined).map((stage) => [
    stage,
    resolved(config[stage]!, allOptions(STAGE_SCHEMAS[stage])),
  ]);
  return { ...resolved(config, PIPELINE_OPTIONS), ...Object.fromEntries(stages) } as C;
}

function resolved(given: object, options: Options): object {
  if (typeof given !== 'object' || given === null) return given; // refused by the check of the configuration
  return Object.fromEntries(
    Object.entries(given).map(([name, value]: [string, unknown]) => {
      const kind = options[name]?.path;
      const one = (path: unknown): unknown =>
        typeof path === 'string' && path !== '' && (kind === 'always' || isThere(path)) ? resolve(path) : path;
      return [name, kind === undefined ? value : Array.isArray(value) ? value.map(one) : one(value)];
    }),
  );
}

const isThere = (path: string): boolean => existsSync(path) && (path.includes('/') || statSync(path).isFile());
