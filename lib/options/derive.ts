/** Parts of a schema for another one, its fingerprint, its JSON Schema. */
import type { Option, Options } from './option.js';

/** All but some of the options. */
export function omitOptions<O extends Options, K extends keyof O & string>(
  options: O,
  ...names: readonly K[]
): Omit<O, K> {
  return Object.fromEntries(
    Object.entries(options).filter(([name]) => !(names as readonly string[]).includes(name)),
  ) as Omit<O, K>;
}

/** The same option with another default. */
export function withDefault<T>(option: Option<T>, value: T): Option<T, 'default'> {
  return { ...option, presence: 'default', default: value };
}

/**
 * What decides a result, for a run's `config.json`: a run may be resumed with other values of the rest.
 * @param settings options with their defaults
 */
export function fingerprint(options: Options, settings: object): Record<string, unknown> {
  const counts = ([name, value]: [string, unknown]): boolean => {
    const option = options[name];
    return option === undefined || (option.affectsResult && !(option.cameLater && value === option.default));
  };
  return Object.fromEntries(Object.entries(settings).filter(counts));
}

/** JSON Schema of an object of options, for editors that complete a configuration file. */
export function jsonSchema(options: Options): Record<string, unknown> {
  const entries = Object.entries(options).filter(([, { data }]) => data);
  const required = entries.filter(([, { presence }]) => presence === 'required').map(([name]) => name);
  return {
    type: 'object',
    properties: Object.fromEntries(entries.map(([name, option]) => [name, optionSchema(option)])),
    ...(required.length > 0 && { required }),
    additionalProperties: false,
  };
}

function optionSchema({ group, schema, help, default: value, otherwise }: Option): Record<string, unknown> {
  return {
    ...(group ? { anyOf: [{ type: 'boolean' }, jsonSchema(group)] } : schema),
    description: otherwise === undefined ? help : `${help} (default: ${otherwise})`,
    ...(value !== undefined && { default: value }),
  };
}
