/** What a command of `sidlab` is. */
import type { FlagName, FlagValues } from './flags.js';

export interface Command {
  summary: string;
  flags: readonly FlagName[];
  /** Flags without which it cannot run. */
  needs?: readonly FlagName[];
  /** Words beside the flags, for `--help`. */
  words?: string;
  /** Most commands compute on the engine; it is loaded for them first. */
  engine: boolean;
  /** @returns the object of `--json` */
  run(values: FlagValues, words: string[]): unknown;
  /** The result for people. Default: its fields. */
  print?(result: never): string;
}
