/**
 * One option of a stage: its meaning, its default and what a value must be. Everything else (types, flags, `--help`, the
 * check of a configuration file, its JSON Schema, a run's fingerprint) is derived from it.
 *
 * Why not zod 4: importing it takes 100 ms of the 300 that a command may need to start, its declarations do not compile
 * with the TypeScript 5.0 of a tslab cell (`NoInfer`), and flags, help and fingerprints would be written here all the
 * same.
 */

/** Whether an option must be given, has a default of its own, or is left out where nobody gives it. */
export type Presence = 'required' | 'default' | 'optional';

/** Always a file or folder, or the name of something else as well: a model's shape, an id on the model hub. */
export type PathKind = 'always' | 'maybe';

/** @typeParam T its type @typeParam P whether it must be given */
export interface Option<T = unknown, P extends Presence = Presence> {
  /** Whether it must be given. */
  readonly presence: P;
  /** Meaning, unit and edge cases in one line, for `--help` and the reference. */
  readonly help: string;
  /** Its value where nobody gives one. */
  readonly default?: T;
  /** The default in words, where it is not one value; shown in place of `default`. */
  readonly otherwise?: string;
  /** False where it decides what is kept or how it is computed, but not what comes out: no part of a fingerprint. */
  readonly affectsResult: boolean;
  /** Runs are older than it: at its default it is no part of a fingerprint, so that they still resume. */
  readonly cameLater: boolean;
  /** Whether a flag or a file can hold it. A function cannot: it is an option of the library alone. */
  readonly data: boolean;
  /** A boolean needs no value on the command line. */
  readonly boolean: boolean;
  /** Whether a text, or each of several, is a file or folder. */
  readonly path?: PathKind;
  /** Options inside it, where it is a group such as `lora`: `--lora-rank` on the command line. */
  readonly group?: Options;
  /** What a value may be, where that is one of some words. */
  readonly words?: readonly string[];
  /** What was expected (`a whole number of 1 or more`), if a value does not fit. */
  mismatch(value: unknown): string | undefined;
  /** A flag's text as a value; what comes out is checked like any other. */
  fromText(text: string): unknown;
  /** Its JSON Schema. */
  readonly schema: Readonly<Record<string, unknown>>;
  /** Of the type alone; never there. */
  readonly type?: T;
}

/** Options by name. */
export type Options = { readonly [name: string]: Option };

/** What the constructors take beside the help. */
export interface Spec<T> {
  /** Its value where nobody gives one. */
  default?: T;
  /** Must be given. */
  required?: boolean;
  /** The default in words, where it is not one value. */
  otherwise?: string;
  /** Default true. */
  affectsResult?: boolean;
  /** Default false. */
  cameLater?: boolean;
}

/** The presence that a spec says. */
export type PresenceOf<S> = S extends { required: true }
  ? 'required'
  : S extends { default: NonNullable<unknown> }
    ? 'default'
    : 'optional';

type Kind<T> = Pick<Option<T>, 'mismatch' | 'fromText' | 'schema'> & {
  data?: boolean;
  boolean?: boolean;
  group?: Options;
  words?: readonly string[];
  path?: PathKind;
};

/** @param kind what a value must be */
export function option<T, const S extends Spec<T>>(help: string, spec: S, kind: Kind<T>): Option<T, PresenceOf<S>> {
  const { default: value, required = false, otherwise, affectsResult = true, cameLater = false } = spec;
  return {
    presence: (required ? 'required' : value === undefined ? 'optional' : 'default') as PresenceOf<S>,
    help,
    ...(value !== undefined && { default: value }),
    ...(otherwise !== undefined && { otherwise }),
    affectsResult,
    cameLater,
    data: true,
    boolean: false,
    ...kind,
  };
}
