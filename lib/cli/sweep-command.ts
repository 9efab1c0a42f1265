/** `sidlab sweep`: a command with many options' values, one trial after the other. */
import { join, relative } from 'node:path';
import { path } from '../options/kinds.js';
import { allOptions, defineOptions, parseOptions } from '../options/schema.js';
import type { SweepResult } from '../runs/sweep/run-sweep.js';
import type { SweepSpec, SweepTrial } from '../runs/sweep/sweep-spec.js';
import { InputError, Interrupted } from '../support/errors.js';
import { interrupted, watchInterrupts } from '../support/interrupt.js';
import type { Command } from './command.js';

/** What `sidlab sweep` gives back. */
export interface SweepReport extends SweepResult {
  /** Files: the trials, the table, the figure. */
  files: string[];
}

/** @param commands all commands; a function, since this one is among them */
export function sweepCommand(commands: () => Record<string, Command>): Command {
  return {
    summary: 'a command with many values of its options (grid or random, from a file): a table and a figure, resumable',
    schema: defineOptions('sweep', {
      sweep: path('JSON file {command, options, grid or random, metrics, goal}', { required: true }),
      out: path('folder of sweep.jsonl, sweep.csv and the figure', { required: true, affectsResult: false }),
    }),
    word: 'sweep',
    run: async ({ sweep, out }) => runCommand(commands(), sweep as string, out as string),
    print: async (report: SweepReport) => {
      const { tableText } = await import('../figures/show-table.js');
      const { sweepRows } = await import('../runs/sweep/sweep-rows.js');
      const { trials, ran, kept, failed, files } = report;
      const rows = sweepRows(trials, { metrics: Object.keys(trials[0]?.metrics ?? {}) });
      return [
        tableText(rows.map(({ error, ...row }) => ({ ...row, ...(failed > 0 && { error: error ?? '' }) }))),
        `${ran} trials run, ${kept} kept, ${failed} failed`,
        ...files.map((path) => relative(process.cwd(), path)),
      ].join('\n\n');
    },
  };
}

async function runCommand(commands: Record<string, Command>, file: string, out: string): Promise<SweepReport> {
  const [{ readJson, writeAtomic }, { parseSweep, sweepTrials }, { runSweep }, { sweepRows }] = await Promise.all([
    import('../files/files.js'),
    import('../runs/sweep/sweep-spec.js'),
    import('../runs/sweep/run-sweep.js'),
    import('../runs/sweep/sweep-rows.js'),
  ]);
  const { formatCsv } = await import('../data/csv.js');
  const { tell } = await import('../support/progress.js');
  const { mkdirSync } = await import('node:fs');
  const spec = parseSweep(readJson(file, 'give the file of the sweep'), file);
  const command = checkedCommand(commands, spec, sweepTrials(spec), file);
  mkdirSync(out, { recursive: true });
  const unattended = Object.hasOwn(command.extra ?? {}, 'yes') ? { yes: true } : {}; // nobody is asked in each trial
  const lines = join(out, 'sweep.jsonl');
  watchInterrupts()(); // an interrupt of what ran before in this process is none of the sweep
  const result = await runSweep(spec, lines, {
    run: ({ options }) => command.run(options, unattended),
    stop: interrupted, // a trial that Ctrl+C stopped is no reason to begin the next
    onTrial: ({ name, varied }, place, of) => tell(`-- sweep ${place} of ${of}: ${name} ${JSON.stringify(varied)}`),
  });
  if (interrupted()) {
    const done = result.trials.length - result.failed;
    throw new Interrupted(`sweep: interrupted; ${done} trials are in ${lines}; the same command goes on`);
  }
  const rows = sweepRows(result.trials, spec);
  const columns = [...new Set(rows.flatMap((row) => Object.keys(row)))];
  const table = join(out, 'sweep.csv');
  writeAtomic(table, formatCsv([columns, ...rows.map((row) => columns.map((name) => String(row[name] ?? '')))]));
  return { ...result, files: [lines, table, ...(await draw(spec, rows, out))] };
}

/** Every trial's options are checked before the first one runs. */
function checkedCommand(
  commands: Record<string, Command>,
  { command: name }: SweepSpec,
  trials: readonly SweepTrial[],
  file: string,
): Command {
  const command = Object.hasOwn(commands, name) ? commands[name] : undefined;
  if (!command || name === 'sweep') {
    const known = Object.keys(commands).filter((other) => other !== 'sweep');
    throw new InputError(`${file}: expected command to be one of ${known.join(', ')}, got ${name}`);
  }
  for (const { options } of trials) {
    parseOptions({ ...command.schema, name: file }, options, (option) => option);
  }
  if (trials.length > 1 && !JSON.stringify(trials[0]!.options).includes(trials[0]!.name)) {
    const written = name === 'sid' ? ['index'] : ['out', 'run', 'results', 'embeddings'];
    const place = written.find((option) => Object.hasOwn(allOptions(command.schema), option));
    if (place !== undefined) {
      throw new InputError(`${file}: expected {trial} in ${place}, or the trials would write over one another`);
    }
  }
  return command;
}

async function draw(spec: SweepSpec, rows: readonly Record<string, string | number>[], out: string): Promise<string[]> {
  const { parallelCoordinates } = await import('../figures/parallel-coordinates.js');
  const { exportFigure } = await import('../figures/export-figure.js');
  const varied = Object.keys(spec.grid ?? spec.random!);
  const axes = [...varied, ...spec.metrics.slice(1), spec.metrics[0]!];
  const measured = rows.filter((row) => typeof row[spec.metrics[0]!] === 'number');
  if (measured.length < 2) return [];
  const title = `${spec.metrics[0]!} of ${measured.length} trials of ${spec.command}`;
  return exportFigure(parallelCoordinates(measured, { axes, goal: spec.goal, title }), join(out, 'sweep'));
}
