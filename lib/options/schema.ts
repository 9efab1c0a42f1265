/**
 * The options of one stage, declared once.
 *
 * `defineOptions` makes a schema of them; its `parse` fills in the defaults, after every value, every name and every
 * rule between options was checked, so that a stage that has begun does not stop over a slip of the pen.
 */
import { InputError } from '../support/errors.js';
import type { Options } from './option.js';
import { nearest } from './nearest.js';

type TypeOf<O> = O extends { readonly type?: infer T } ? Exclude<T, undefined> : never;
type NamesOf<O extends Options, P> = { [K in keyof O]: O[K]['presence'] extends P ? K : never }[keyof O];

/** What a caller gives: the required options, and any of the others. */
export type Given<O extends Options> = { [K in NamesOf<O, 'required'>]: TypeOf<O[K]> } & {
  [K in NamesOf<O, 'default' | 'optional'>]?: TypeOf<O[K]> | undefined;
};

/** What a stage works with: every default filled in. */
export type Parsed<O extends Options> = { [K in NamesOf<O, 'required' | 'default'>]: TypeOf<O[K]> } & {
  [K in NamesOf<O, 'optional'>]?: TypeOf<O[K]>;
};

/** How a caller knows an option: `--batch-size` on a command line, `sft.batchSize` in a file, `batchSize` in code. */
export type Spell = (name: string) => string;

/**
 * A rule between options. @throws InputError that names them and the reason
 * @param options those that were given, with defaults
 */
export type Rule<O extends Options> = (options: Parsed<O>) => void;

/** Options that only some choice of another option reads, such as those of one SID method. */
export interface Variants {
  /** Name of the option that chooses. */
  by: string;
  /** Options that a value brings along, such as a method of the caller's own. */
  own?: (value: unknown) => Options | undefined;
  /** The variant that a value chooses. Default the value itself. */
  pick?: (value: unknown) => string;
  /** Options of each variant, by its name. */
  of: Readonly<Record<string, Options>>;
}

/** What every schema has, whatever its options are. */
export interface AnySchema {
  /** Name of the stage, in front of every error. */
  readonly name: string;
  /** By name. */
  readonly options: Options;
  /** Between options; each throws. */
  readonly rules: readonly ((options: never) => void)[];
  /** Options that depend on another option's value. */
  readonly variants?: Variants;
}

/** The options of a stage, with the function that checks them. */
export interface Schema<O extends Options = Options> extends AnySchema {
  /** By name. */
  readonly options: O;
  /** @throws InputError for a name that is unknown, a value out of range, or two options that do not go together */
  parse(given: Given<O>): Parsed<O>;
}

/** The type of a stage's options. @example interface SftOptions extends OptionsOf<typeof SFT_OPTIONS> {} */
export type OptionsOf<S> = S extends Schema<infer O> ? Given<O> : never;
/** The same with every default filled in. */
export type SettingsOf<S> = S extends Schema<infer O> ? Parsed<O> : never;

/** @param rules each is a function that throws; its comment says why the rule is there */
export function defineOptions<O extends Options>(
  name: string,
  options: O,
  { rules = [], variants }: { rules?: readonly Rule<O>[]; variants?: Variants } = {},
): Schema<O> {
  const schema: Schema<O> = {
    name,
    options,
    rules,
    ...(variants && { variants }),
    parse: (given) => parseOptions(schema, given as Record<string, unknown>) as Parsed<O>,
  };
  return schema;
}

/** Checks what was given and fills in the defaults. @param spell how the caller knows an option */
export function parseOptions(
  schema: AnySchema,
  given: Readonly<Record<string, unknown>>,
  spell: Spell = (name) => name,
): Record<string, unknown> {
  const there = Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined));
  const options = optionsFor(schema, there);
  for (const [name, value] of Object.entries(there)) checkOption(schema, options, name, value, spell);
  for (const [name, { presence }] of Object.entries(options)) {
    if (presence === 'required' && !Object.hasOwn(there, name)) {
      throw new InputError(`${schema.name}: expected ${spell(name)}: ${options[name]!.help}`);
    }
  }
  const parsed = { ...defaultsOf(options), ...there };
  for (const rule of schema.rules) rule(parsed as never);
  return parsed;
}

/** The options that count here: the schema's own, and those of the chosen variant. */
export function optionsFor(schema: AnySchema, given: Readonly<Record<string, unknown>>): Options {
  const { options, variants } = schema;
  if (!variants) return options;
  const chosen = given[variants.by] ?? options[variants.by]?.default;
  const name = variants.pick ? variants.pick(chosen) : String(chosen);
  const own = variants.own?.(chosen) ?? (Object.hasOwn(variants.of, name) ? variants.of[name] : {});
  return { ...options, ...own };
}

/** Every option of a schema, whatever is chosen. */
export function allOptions({ options, variants }: AnySchema): Options {
  return Object.assign({}, options, ...Object.values(variants?.of ?? {})) as Options;
}

/** Names and values of the defaults. */
export function defaultsOf(options: Options): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(options).flatMap(([name, o]) => (o.default === undefined ? [] : [[name, o.default]])),
  );
}

function checkOption(schema: AnySchema, options: Options, name: string, value: unknown, spell: Spell): void {
  if (!Object.hasOwn(options, name)) throw unknownOption(schema, options, name, spell);
  const { group } = options[name]!;
  const expected = options[name]!.mismatch(value);
  if (expected !== undefined) {
    const close = typeof value === 'string' ? nearest(value, options[name]!.words ?? []) : undefined;
    const mend = close === undefined ? '' : `; did you mean ${close}?`;
    throw new InputError(`${schema.name}: expected ${spell(name)} to be ${expected}, got ${shown(value)}${mend}`);
  }
  if (group && typeof value === 'object') {
    const inner = { name: schema.name, options: group, rules: [] };
    parseOptions(inner, value as Record<string, unknown>, (part) => spell(`${name}.${part}`));
  }
}

/** The error for a name that does not count here: whose it is, or which one is nearest. */
export function unknownOption(schema: AnySchema, options: Options, name: string, spell: Spell): InputError {
  const { variants } = schema;
  const owners = Object.entries(variants?.of ?? {}).filter(([, own]) => Object.hasOwn(own, name));
  if (variants && owners.length > 0) {
    const names = owners.map(([owner]) => owner).join(', ');
    return new InputError(
      `${schema.name}: ${spell(name)} is an option of ${spell(variants.by)} ${names} alone; leave it out`,
    );
  }
  const close = nearest(name, Object.keys(options));
  const mend =
    close === undefined ? `there are ${Object.keys(options).map(spell).join(', ')}` : `did you mean ${spell(close)}?`;
  return new InputError(`${schema.name}: unknown option ${spell(name)}; ${mend}`);
}

/** A value in an error's text, not longer than a line. */
function shown(value: unknown): string {
  const said =
    typeof value === 'number' || typeof value === 'function' ? String(value) : (JSON.stringify(value) ?? String(value));
  return said.length > 80 ? `${said.slice(0, 77)}...` : said;
}
