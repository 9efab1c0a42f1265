/**
 * A strategy: what to change in a pipeline's configuration, for a finding of its bad-case report. The kit's are in `kit/`,
 * one a file, listed in `strategies.ts`; one of your own is such an object in a notebook cell.
 */
import type { BadCaseFile } from '../badcase/report-shape.js';
import type { PipelineConfig } from '../pipeline/config.js';

/** What called for a strategy. */
export interface Finding {
  /** Name of a mode, or of another finding of the report. */
  finding: string;
  /** Its number; null where the report has none. */
  value: number | null;
  /** The finding in a sentence. */
  words: string;
}

/** What a strategy is given. */
export interface StrategyContext {
  report: BadCaseFile;
  /** With the changes of the strategies before it. */
  config: PipelineConfig;
  /** What called for it. */
  finding: Finding;
}

/** New values by option, `sft.epochs` for instance; null takes the option out, so that its default counts. */
export type Changes = Record<string, unknown>;

/** What a strategy would do. */
export interface Proposal {
  changes: Changes;
  /** What it is expected to do, and at what cost, in a sentence or two. */
  expected: string;
}

/** A strategy of the kit's, or of your own. */
export interface Strategy {
  /** Its name, as `--choose` and the report's verdicts say it. */
  readonly name: string;
  /** A line of help. */
  readonly help: string;
  /** Modes whose numbers it is about, the first one first: what it names where nobody called for it. */
  readonly modes: readonly string[];
  /** What of a report calls for it. Default the first verdict that names it. */
  calledBy?(report: BadCaseFile): Finding | undefined;
  /** @returns a sentence that says why there is nothing to change, in place of a proposal */
  propose(context: StrategyContext): Proposal | string | Promise<Proposal | string>;
}

/** The first verdict of a report that names a strategy. */
export function verdictFor(name: string, { verdicts }: Pick<BadCaseFile, 'verdicts'>): Finding | undefined {
  const verdict = verdicts.find(({ strategies }) => (strategies as readonly string[]).includes(name));
  return verdict && { finding: verdict.finding, value: verdict.value, words: verdict.words };
}

/** What a strategy is about, where it was chosen by hand and nothing calls for it. */
export function unasked({ modes }: Strategy, report: BadCaseFile): Finding {
  const name = modes.find((mode) => report.modes[mode] !== undefined);
  const share = name === undefined ? null : report.modes[name]!.share;
  const words =
    share === null
      ? 'chosen by hand'
      : `chosen by hand: ${(100 * share).toFixed(1)} % of the failed rows are of ${name!}`;
  return { finding: name ?? 'none', value: share, words };
}
