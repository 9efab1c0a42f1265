/** `sidlab strategies`: what the bad cases call for, asked about on a terminal, as a configuration. */
import { tableText } from '../figures/show-table.js';
import type { AskStrategies, StrategiesReport } from '../strategies/strategies-stage.js';
import type { StrategiesStageOptions } from '../strategies/strategies-options.js';
import { type Terminal, terminalAsk } from './terminal-ask.js';

/** Runs the stage; asks where neither --auto nor --choose is given and there is somebody to ask. */
export async function strategiesCommand(values: Record<string, unknown>): Promise<StrategiesReport> {
  const { strategiesStage } = await import('../strategies/strategies-stage.js');
  return strategiesStage(
    values as object as StrategiesStageOptions,
    askerOf({ input: process.stdin, output: process.stderr }),
  );
}

/** @returns undefined where nobody could answer */
export function askerOf(terminal: Terminal): AskStrategies | undefined {
  const ask = terminalAsk(terminal, { command: 'strategies', flag: '--auto' });
  return (
    ask &&
    (async (called) => {
      const { STRATEGIES } = await import('../strategies/strategies.js');
      const names = called.map(({ strategy }) => strategy.name);
      for (const { strategy, finding } of called) terminal.output.write(`${strategy.name}: ${finding.words}\n`);
      const known = STRATEGIES.map(({ name }) => name);
      return ask({
        stage: 'strategies',
        text: `(${known.join(', ')}, none) [${names.length > 0 ? names.join(',') : 'none'}]:`,
        otherwise: names,
        read(answer) {
          if (answer === 'none') return [];
          const asked = answer.split(/[\s,]+/);
          return asked.every((name) => known.includes(name) || names.includes(name)) ? asked : undefined;
        },
      });
    })
  );
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
