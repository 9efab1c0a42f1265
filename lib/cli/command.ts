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
  /** Name of the option that is given as a word, not as a flag; of a list all words are elements. */
  word?: string;
  /**
   * Loads the code that it needs, and runs it: nothing heavy is imported for `--help` or a usage error.
   * @param values checked options @param extra values of the command line alone
   * @returns the object of `--json`
   */
  run(values: Record<string, unknown>, extra: Record<string, unknown>): unknown;
  /** The result for people. Default: its fields. */
  print?(result: never): Promise<string> | string;
}
