/**
 * A configuration before anything runs: every option of every stage by its name, kind and range, and the rules between
 * options, so that a slip of the pen in the last stage is found before the first one has taken its hour.
 */
import { nearest } from '../options/nearest.js';
import { parseOptions } from '../options/schema.js';
import { InputError } from '../support/errors.js';
import { checkSource } from './source.js';
import { PIPELINE_OPTIONS, STAGE_NAMES, STAGE_SCHEMAS } from './pipeline-options.js';

/** @param source the file, for the error's text @throws InputError for the first option that is wrong */
export function checkConfig(config: object, source: string): void {
  const stages: readonly string[] = STAGE_NAMES;
  const { $schema: _, ...given } = config as Record<string, unknown>;
  const known = [...Object.keys(PIPELINE_OPTIONS), ...stages];
  for (const key of Object.keys(given)) {
    if (known.includes(key)) continue;
    const close = nearest(key, known);
    const mend = close === undefined ? `expected ${known.join(', ')}` : `did you mean ${close}?`;
    throw new InputError(`${source}: unknown key ${key}; ${mend}`);
  }
  const own = Object.fromEntries(Object.entries(given).filter(([key]) => !stages.includes(key)));
  parseOptions({ name: source, options: PIPELINE_OPTIONS, rules: [] }, own);
  for (const stage of STAGE_NAMES) {
    const options = given[stage];
    if (options === undefined) continue;
    if (typeof options !== 'object' || options === null || Array.isArray(options)) {
      throw new InputError(`${source}: expected ${stage} to be an object of options, got ${JSON.stringify(options)}`);
    }
    const schema = { ...STAGE_SCHEMAS[stage], name: source };
    parseOptions(schema, options as Record<string, unknown>, (name) => `${stage}.${name}`);
  }
  checkSource(given, source);
}
