/** The kinds of options: text, number, integer, boolean, one of some words, lists, groups, functions. */
import { option, type Option, type Options, type PathKind, type PresenceOf, type Spec } from './option.js';

/** A text that is not empty: a name, a file, a folder. */
export function text<const S extends Spec<string>>(help: string, spec: S = {} as S): Option<string, PresenceOf<S>> {
  return option<string, S>(help, spec, {
    mismatch: (value) => (typeof value === 'string' && value !== '' ? undefined : 'a text'),
    fromText: (given) => given,
    schema: { type: 'string', minLength: 1 },
  });
}

/** A file or folder of the user's, or a pattern of such. */
export function path<const S extends Spec<string>>(help: string, spec: S = {} as S): Option<string, PresenceOf<S>> {
  return { ...text(help, spec), path: 'always' };
}

/** Several; on the command line with commas between. */
export function paths<const S extends Spec<readonly string[]>>(
  help: string,
  spec: S = {} as S,
): Option<readonly string[], PresenceOf<S>> {
  return { ...texts(help, spec), path: 'always' };
}

/** A file or folder, or something else in its place: the shape of a model, an id on the model hub. */
export function pathOrWord<const S extends Spec<string>>(
  help: string,
  spec: S = {} as S,
): Option<string, PresenceOf<S>> {
  return { ...text(help, spec), path: 'maybe' };
}

/** Bounds of a number; `above` and `below` are exclusive. */
export interface Bounds {
  /** Smallest value, included. */
  min?: number;
  /** Largest value, included. */
  max?: number;
  /** Values must be larger. */
  above?: number;
  /** Values must be smaller. */
  below?: number;
}

/** Texts that are not empty, one or more; on the command line with commas between. */
export function texts<const S extends Spec<readonly string[]>>(
  help: string,
  spec: S = {} as S,
): Option<readonly string[], PresenceOf<S>> {
  const fits = (value: unknown): boolean => typeof value === 'string' && value !== '';
  return option<readonly string[], S>(help, spec, {
    mismatch: (value) =>
      Array.isArray(value) && value.length > 0 && value.every(fits) ? undefined : 'one or more texts',
    fromText: (given) => given.split(','),
    schema: { type: 'array', items: { type: 'string', minLength: 1 }, minItems: 1 },
  });
}

/** A finite number within bounds. */
export function number<const S extends Spec<number> & Bounds>(
  help: string,
  spec: S = {} as S,
): Option<number, PresenceOf<S>> {
  return option<number, S>(help, spec, numeric('a number', spec, Number.isFinite, 'number'));
}

/** A whole number within bounds; default 1 or more. */
export function integer<const S extends Spec<number> & Bounds>(
  help: string,
  spec: S = {} as S,
): Option<number, PresenceOf<S>> {
  const bounds = spec.min === undefined && spec.above === undefined ? { ...spec, min: 1 } : spec;
  return option<number, S>(help, spec, numeric('a whole number', bounds, Number.isSafeInteger, 'integer'));
}

/** True or false; on the command line `--name`, and `--no-name` where the default is true. */
export function boolean<const S extends Spec<boolean> = { default: false }>(
  help: string,
  spec: S = { default: false } as S,
): Option<boolean, PresenceOf<S>> {
  return option<boolean, S>(help, spec, {
    mismatch: (value) => (typeof value === 'boolean' ? undefined : 'true or false'),
    fromText: (given) => ({ true: true, false: false })[given] ?? given,
    schema: { type: 'boolean' },
    boolean: true,
  });
}

/** One of some words. */
export function choice<const W extends string, const S extends Spec<W>>(
  words: readonly W[],
  help: string,
  spec: S = {} as S,
): Option<W, PresenceOf<S>> {
  return option<W, S>(help, spec, {
    mismatch: (value) => ((words as readonly unknown[]).includes(value) ? undefined : `one of ${words.join(', ')}`),
    fromText: (given) => given,
    schema: { enum: words },
    words,
  });
}

/** Numbers, on the command line with commas between. `of` bounds each of them. */
export function numbers<const S extends Spec<readonly number[]> & { of?: Bounds; whole?: boolean }>(
  help: string,
  spec: S = {} as S,
): Option<readonly number[], PresenceOf<S>> {
  return option<readonly number[], S>(help, spec, listOf(spec));
}

/** Two whole numbers, on the command line `13,15`. */
export function pair<const S extends Spec<readonly [number, number]> & { of?: Bounds }>(
  help: string,
  spec: S = {} as S,
): Option<readonly [number, number], PresenceOf<S>> {
  const { of = {} } = spec;
  return option<readonly [number, number], S>(help, spec, listOf({ of, count: 2 }));
}

/** One number for all levels, or one a level. */
export function numberOrNumbers<const S extends Spec<number | readonly number[]> & { of?: Bounds; whole?: boolean }>(
  help: string,
  spec: S = {} as S,
): Option<number | readonly number[], PresenceOf<S>> {
  const list = listOf(spec);
  const one = elementOf(spec);
  return option<number | readonly number[], S>(help, spec, {
    mismatch: (value) =>
      Array.isArray(value) ? list.mismatch(value) : one.mismatch(value) && `${one.mismatch(value)}, or several`,
    fromText: (given) => (given.includes(',') ? list.fromText(given) : one.fromText(given)),
    schema: { anyOf: [one.schema, list.schema] },
  });
}

/** Some of a set of words, on the command line with commas between. @param alias other spellings of a word */
export function words<const W extends string, const S extends Spec<readonly W[]>>(
  of: readonly W[],
  help: string,
  spec: S & { alias?: (word: string) => string } = {} as S,
): Option<readonly W[], PresenceOf<S>> {
  const known = of as readonly unknown[];
  return option<readonly W[], S>(help, spec, {
    mismatch: (value) =>
      Array.isArray(value) && value.every((word) => known.includes(word)) ? undefined : `some of ${of.join(', ')}`,
    fromText: (given) => (given === 'none' ? [] : given.split(',').map((word) => spec.alias?.(word) ?? word)),
    schema: { type: 'array', items: { enum: of } },
  });
}

/** Options inside an option: an object of them, or `true` for their defaults. On the command line `--name --name-rank 8`. */
export function group<T, const S extends Spec<boolean | T> = Spec<boolean | T>>(
  help: string,
  of: Options,
  spec: S = {} as S,
): Option<boolean | T, PresenceOf<S>> {
  return option<boolean | T, S>(help, spec, {
    mismatch: (value) =>
      typeof value === 'boolean' || (typeof value === 'object' && value !== null && !Array.isArray(value))
        ? undefined
        : 'true, false or an object of options',
    fromText: (given) => ({ true: true, false: false })[given] ?? given,
    schema: {},
    boolean: true,
    group: of,
  });
}

/** Anything that a function of its own checks. @param mismatch what was expected, if a value does not fit */
export function custom<T, const S extends Spec<T> = Spec<T>>(
  help: string,
  spec: S & { mismatch: (value: unknown) => string | undefined; schema: Record<string, unknown>; path?: PathKind },
): Option<T, PresenceOf<S>> {
  const { mismatch, schema, path } = spec;
  return option<T, S>(help, spec, { mismatch, fromText: (given) => given, schema, ...(path && { path }) });
}

/**
 * A function of the caller's, such as `onLog`, or objects with functions in them: neither a flag nor in a file, and no
 * part of a fingerprint.
 * @param mismatch what was expected, if a value does not fit; default a function
 */
export function hook<F>(
  help: string,
  mismatch: (value: unknown) => string | undefined = (value) =>
    typeof value === 'function' ? undefined : 'a function',
): Option<F, 'optional'> {
  return option<F, object>(help, { affectsResult: false } as object, {
    mismatch,
    fromText: (given) => given,
    schema: {},
    data: false,
  }) as Option<F, 'optional'>;
}

type Numeric = Pick<Option, 'mismatch' | 'fromText' | 'schema'>;

function numeric(what: string, bounds: Bounds, fits: (value: unknown) => boolean, type: string): Numeric {
  const { min, max, above, below } = bounds;
  const said = what + boundsText(bounds);
  return {
    mismatch: (value) => {
      const x = value as number;
      const inside = !(x < min!) && !(x > max!) && !(x <= above!) && !(x >= below!); // undefined compares as false
      return typeof value === 'number' && fits(value) && inside ? undefined : said;
    },
    fromText: (given) => (/^\s*$/.test(given) ? given : Number.isNaN(Number(given)) ? given : Number(given)),
    schema: {
      type,
      ...(min !== undefined && { minimum: min }),
      ...(max !== undefined && { maximum: max }),
      ...(above !== undefined && { exclusiveMinimum: above }),
      ...(below !== undefined && { exclusiveMaximum: below }),
    },
  };
}

/** ` of 1 or more`, ` above 0, at most 1`, ` from 1 to 25` */
function boundsText({ min, max, above, below }: Bounds): string {
  if (min !== undefined && max !== undefined) return ` from ${min} to ${max}`;
  const low = min !== undefined ? `of ${min} or more` : above !== undefined ? `above ${above}` : '';
  const high = max !== undefined ? `at most ${max}` : below !== undefined ? `below ${below}` : '';
  const both = [low, high].filter((part) => part !== '');
  return both.length === 0 ? '' : ` ${both.join(', ')}`;
}

interface ListSpec {
  of?: Bounds;
  whole?: boolean;
  count?: number;
}

function elementOf({ of = {}, whole = true }: ListSpec): Numeric {
  return whole
    ? numeric('a whole number', { min: 1, ...of }, Number.isSafeInteger, 'integer')
    : numeric('a number', of, Number.isFinite, 'number');
}

function listOf(spec: ListSpec): Numeric {
  const { count } = spec;
  const one = elementOf(spec);
  const each = one.mismatch(undefined)!.replace(/^a (whole )?number/, (_, whole: string = '') => `${whole}numbers`);
  return {
    mismatch: (value) => {
      const fits = Array.isArray(value) && value.length > 0 && value.every((x) => one.mismatch(x) === undefined);
      return fits && (count === undefined || value.length === count)
        ? undefined
        : `${count === undefined ? '' : `${count} `}${each}`;
    },
    fromText: (given) => given.split(',').map((part) => one.fromText(part)),
    schema: { type: 'array', items: one.schema, ...(count !== undefined && { minItems: count, maxItems: count }) },
  };
}
