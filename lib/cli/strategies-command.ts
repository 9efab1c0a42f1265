/** `sidlab strategies`: what the bad cases call for, asked about on a terminal, as a configuration. */
import { createInterface } from 'node:readline/promises';
import { tableText } from '../figures/show-table.js';
import type { AskStrategies, StrategiesReport } from '../strategies/strategies-stage.js';
import type { StrategiesStageOptions } from '../strategies/strategies-options.js';

/** A terminal that can be asked. */
export interface Terminal {
  input: NodeJS.ReadableStream & { isTTY?: boolean };
  /** Questions go here: standard output is for results. */
  output: NodeJS.WritableStream & { isTTY?: boolean };
}

/** Runs the stage; asks where neither --auto nor --choose is given and there is somebody to ask. */
export async function strategiesCommand(values: Record<string, unknown>): Promise<StrategiesReport> {
  const { strategiesStage } = await import('../strategies/strategies-stage.js');
  return strategiesStage(
    values as object as StrategiesStageOptions,
    askerOf({ input: process.stdin, output: process.stderr }),
  );
}

/** @returns undefined where nobody could answer */
export function askerOf({ input, output }: Terminal): AskStrategies | undefined {
  if (!input.isTTY || !output.isTTY) return undefined;
  return async (called) => {
    const { STRATEGIES } = await import('../strategies/strategies.js');
    const lines = createInterface({ input, output, terminal: false });
    const names = called.map(({ strategy }) => strategy.name);
    for (const { strategy, finding } of called) output.write(`${strategy.name}: ${finding.words}\n`);
    const known = STRATEGIES.map(({ name }) => name);
    try {
      for (;;) {
        const usual = names.length > 0 ? names.join(',') : 'none';
        const answer = (await lines.question(`strategies (${known.join(', ')}, none) [${usual}]: `)).trim();
        if (answer === '') return names;
        if (answer === 'none') return [];
        const asked = answer.split(/[\s,]+/);
        if (asked.every((name) => known.includes(name) || names.includes(name))) return asked;
        output.write('not understood\n');
      }
    } finally {
      lines.close();
    }
  };
}

/** What was chosen, what was not, and the command that comes next. */
export function strategiesText({ chosen, skipped, config }: StrategiesReport): string {
  const rows = chosen.flatMap(({ name, changes }) =>
    Object.entries(changes).map(([option, value]) => ({
      strategy: name,
      option,
      value: value === null ? 'its default' : String(value),
    })),
  );
  return [
    ...chosen.map(({ name, words, expected }) => `${name}: ${words}\n  ${expected}`),
    ...skipped.map(({ name, reason }) => `${name}: nothing to change: ${reason}`),
    ...(rows.length > 0 ? ['', tableText(rows), ''] : []),
    ...(chosen.length > 0 ? [`sidlab pipeline --config ${config}`] : ['no strategy: the configuration is as it was']),
  ].join('\n');
}
