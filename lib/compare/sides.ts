/** What is compared: the words of the command line as results files, their names, and the bad-case reports beside them. */
import { existsSync, readdirSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { InputError } from '../support/errors.js';
import { smallest } from '../support/extremes.js';

/** One side of a comparison. */
export interface Side {
  name: string;
  /** Results files, one a seed. */
  files: string[];
  /** Bad-case report of its results, where there is one; of several seeds there is none. */
  report?: string;
}

/** What sides are made of. */
export interface SideWords {
  /** Results files or run folders; several seeds of a side with commas between. */
  files: readonly string[];
  names?: readonly string[] | undefined;
  reports?: readonly string[] | undefined;
}

/** @throws InputError for a folder without results or with several, names or reports of another number, a name twice */
export function readSides({ files: given, names, reports }: SideWords): Side[] {
  const files = given.map(filesOf);
  checkCount('names', names, given);
  checkCount('reports', reports, given);
  const called = names ?? distinctNames(files.map(([first]) => first!));
  const twice = called.find((name, i) => called.indexOf(name) < i);
  if (twice !== undefined)
    throw new InputError(`compare: two sides are called ${twice}; give each its name by --names`);
  return files.map((own, i) => {
    const report = reports?.[i] ?? reportBeside(own);
    return { name: called[i]!, files: own, ...(report !== undefined && { report }) };
  });
}

function checkCount(what: string, given: readonly string[] | undefined, sides: readonly string[]): void {
  if (given === undefined || given.length === sides.length) return;
  throw new InputError(`compare: expected ${what} of ${sides.length} sides, got ${given.length}; give one a side`);
}

function filesOf(side: string): string[] {
  const files = side.split(',');
  if (!files.includes('')) return files.map(resultsOf);
  throw new InputError(`compare: expected files with commas between, got ${JSON.stringify(side)}; leave out the comma`);
}

/**
 * The results file of a path: itself, or of a run folder `results.jsonl`, of a bad-case folder `eval_results.jsonl`,
 * else the only results file; of a pipeline's folder of runs those of the last model.
 * @throws InputError for a folder with none or with several
 */
export function resultsOf(path: string): string {
  if (!existsSync(path) || !statSync(path).isDirectory()) return path;
  for (const name of ['results.jsonl', 'eval_results.jsonl']) {
    if (existsSync(join(path, name))) return join(path, name);
  }
  const found = readdirSync(path).filter((name) => /^results-.*\.jsonl$/.test(name) && !/-shard-\d/.test(name));
  if (found.length === 1) return join(path, found[0]!);
  if (found.length > 1) {
    throw new InputError(`compare: ${path} has several results files: ${found.sort().join(', ')}; name one of them`);
  }
  const last = ['grpo', 'sft'].map((run) => join(path, run, 'results.jsonl')).find((file) => existsSync(file));
  if (last !== undefined) return last;
  throw new InputError(`compare: ${path}: expected a folder with results.jsonl; evaluate first, or name the file`);
}

function reportBeside(files: readonly string[]): string | undefined {
  if (files.length > 1) return undefined;
  const folder = dirname(files[0]!);
  return [folder, join(folder, 'badcase')]
    .map((dir) => join(dir, 'badcase_report.json'))
    .find((file) => existsSync(file));
}

/**
 * What tells paths apart: without the folders that all begin with and the names that all end with; the whole paths where
 * that would leave one without a name.
 * @example distinctNames(['runs/a/sft/results.jsonl', 'runs/b/sft/results.jsonl']) // ['a', 'b']
 */
export function distinctNames(paths: readonly string[]): string[] {
  const parts = paths.map((path) => path.split('/'));
  const shortest = smallest(parts.map(({ length }) => length));
  const same = (at: (of: readonly string[], i: number) => string | undefined): number => {
    let count = 0;
    while (count < shortest && parts.every((of) => at(of, count) === at(parts[0]!, count))) count++;
    return count;
  };
  const [before, after] = [same((of, i) => of[i]), same((of, i) => of.at(-1 - i))];
  const names = parts.map((of) => of.slice(before, of.length - after).join('/'));
  return names.some((name) => name === '') ? [...paths] : names.map((name) => name.replace(/\.jsonl?$/, ''));
}
