/** What a command of `sidlab` is. */
import type { Options } from '../options/option.js';
import type { AnySchema } from '../options/schema.js';

/** A command of `sidlab`: what it says of itself, its options, and what it runs. */
export interface Command {
  /** What it does, in a line. */
  summary: string;
  /** The options of the stage behind it; its flags are derived from them. */
  schema: AnySchema;
  /** Flags of the command line alone, such as `--dry-run`. */
  extra?: Options;
  /** Flags that say more exactly what an unknown one may mean. */
  moreExact?(flag: string): readonly string[];
  /** Whether several processes may share its work (`TF_CONFIG`). Default false: it runs in one. */
  parallel?: boolean;
  /** Whether another command follows it after `--`. Default false. */
  wraps?: boolean;
  /** Name of the option that is given as a word, not as a flag; of a list all words are elements. */
  word?: string;
  /**
   * Loads the code that it needs, and runs it: nothing heavy is imported for `--help` or a usage error.
   * @param values checked options @param extra values of the command line alone @param wrapped the words after `--`
   * @returns the object of `--json`; undefined where there is nothing to print
   */
  run(values: Record<string, unknown>, extra: Record<string, unknown>, wrapped?: readonly string[]): unknown;
  /** The result for people. Default: its fields. */
  print?(result: never): Promise<string> | string;
}
