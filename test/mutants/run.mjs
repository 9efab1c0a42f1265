/**
 * How many mistakes the tests notice: mutants of the files that hold mathematics, each run against its module's tests.
 *
 *   npm run mutants -- [--modules a,b] [--sample 40] [--seed 1] [--file lib/x.ts] [--workers N] [--list] [--known]
 *
 * It works on copies in temporary folders and keeps its results in `.run/mutants/results.jsonl`: a second call goes on
 * where the first was stopped, and runs again only what an edit of the file or of its tests has touched. Survivors are
 * named with the change that nobody noticed; those of `equivalent.json` are changes that no test can notice.
 *
 * Not StrykerJS: its runner for vitest forces threads, and the native engine lives once in a process.
 */
import { readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { parseArgs } from 'node:util';
import { fileURLToPath } from 'node:url';
import { MODULES } from './modules.mjs';
import { fixedMutants, moduleOf, sampleOf } from './plan.mjs';
import { changeLines, reportLines } from './report.mjs';
import { endAll } from './run-tests.mjs';
import { Session } from './session.mjs';

const ROOT = fileURLToPath(new URL('../..', import.meta.url)).replace(/[\\/]$/, '');

const HELP = `npm run mutants -- [options]
  --modules a,b   of ${Object.keys(MODULES).join(', ')} (all)
  --sample N      mutants of a module, or of --file (40)
  --seed S        of the sample (1)
  --file PATH     mutants of this file alone
  --workers N     at a time, each in a copy of its own (cores)
  --known         the fixed list of known.json in place of a sample
  --list          print the mutants, run nothing`;

async function main() {
  const options = readOptions();
  if (options.help) return console.log(HELP);
  const jobs = options.known ? knownJobs(options) : sampleJobs(options);
  if (options.list) return jobs.forEach(({ module, mutant }) => console.log(changeLines(mutant, module).join('\n')));
  const session = new Session(ROOT, MODULES, { workers: options.workers, log: console.log });
  const results = await session.run(jobs);
  const outcomes = jobs.map((job, i) => ({ ...job, result: results[i] }));
  console.log(reportLines(outcomes, readList('equivalent.json')).join('\n'));
}

function readOptions() {
  const text = (value) => ({ type: 'string', ...(value !== undefined && { default: value }) });
  const flag = { type: 'boolean', default: false };
  const { values } = parseArgs({
    options: {
      ...{ modules: text(), sample: text('40'), seed: text('1'), file: text(), workers: text() },
      ...{ known: flag, list: flag, help: flag },
    },
  });
  const { file, seed, known, list, help } = values;
  const modules = values.modules?.split(',') ?? Object.keys(MODULES);
  const unknown = modules.find((name) => !Object.hasOwn(MODULES, name));
  if (unknown) throw new Error(`--modules: expected some of ${Object.keys(MODULES).join(', ')}, got ${unknown}`);
  const count = (name, value) => {
    if (Number.isInteger(Number(value)) && Number(value) > 0) return Number(value);
    throw new Error(`--${name}: expected a whole number above 0, got ${value}`);
  };
  const workers = values.workers === undefined ? availableParallelism() : count('workers', values.workers);
  return { modules, sample: count('sample', values.sample), seed, file, workers, known, list, help };
}

function sampleJobs({ modules, sample, seed, file }) {
  const names = file === undefined ? modules : [moduleOf(ROOT, MODULES, file)];
  return names.flatMap((module) =>
    sampleOf(ROOT, MODULES[module], { sample, seed, file }).map((mutant) => ({ module, mutant })),
  );
}

function knownJobs({ modules, file }) {
  const changes = readList('known.json').filter((change) => file === undefined || change.file === file);
  const { mutants, stale } = fixedMutants(ROOT, changes);
  for (const line of stale) console.log(`known.json is behind the code: ${line}`);
  const jobs = mutants.map((mutant) => ({ module: moduleOf(ROOT, MODULES, mutant.file), mutant }));
  return jobs.filter(({ module }) => modules.includes(module));
}

function readList(name) {
  return JSON.parse(readFileSync(new URL(name, import.meta.url), 'utf8'));
}

for (const signal of ['SIGINT', 'SIGTERM']) {
  process.once(signal, () => {
    endAll();
    console.error('mutants: stopped; the same command goes on where it was');
    process.exit(130);
  });
}

try {
  await main();
} catch (error) {
  console.error(`mutants: ${error.message}`);
  process.exitCode = 1;
}
