/**
 * Which runs a row about a baseline means: those whose options are the row's, and the defaults where the row says nothing.
 * Compared is what a run's `config.json` holds, the fingerprint: neither seed nor folder, no option that came later at its
 * default.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { baselineOf } from '../baselines/baselines.js';
import { readRecord } from '../baselines/results-record.js';
import { hashFile, hashText, readJson } from '../files/files.js';
import { fingerprint } from '../options/derive.js';
import { defaultsOf } from '../options/schema.js';
import type { BaselineRun } from './paper-table.js';

/** What a run says of itself. */
export interface RunConfig extends Record<string, unknown> {
  stage?: string;
  baseline?: string;
  /** Of a joined folder. */
  part?: string;
  seed?: number;
  /** The task that the model was trained to rank. */
  template?: string;
  /** SHA-256 by file name. */
  inputs?: Readonly<Record<string, string>>;
}

/** Beside a baseline's results, else of the folder's run; absent where nothing says it. */
export function configOf(folder: string): RunConfig | undefined {
  const file = join(folder, 'config.json');
  return readRecord(join(folder, 'results.jsonl')) ?? (existsSync(file) ? readJson<RunConfig>(file) : undefined);
}

/** Whether a baseline is trained: runs of it have a seed. */
export function isTrained({ baseline }: BaselineRun): boolean {
  return Object.hasOwn(baselineOf(baseline).options ?? {}, 'seed');
}

/** @param name of the folder: of counted results without a record it is all that there is, and they are of no options */
export function isRunOf(run: BaselineRun, config: RunConfig | undefined, name: string): boolean {
  const { baseline, options: { index } = {} } = run;
  if (config === undefined) {
    const named = [`baseline-${baseline}`, baseline].includes(name);
    return named && !isTrained(run) && wantedOf(run) === wantedOf({ baseline });
  }
  if (config.baseline !== baseline || config.part !== undefined) return false;
  const sameIndex = index === undefined || config.inputs?.index === hashOf(String(index));
  return sameIndex && wantedOf(run) === stampOf(run, config);
}

/**
 * Where a run of the row goes: the plain folder while it is free or holds such a run, else one whose name has a hash of
 * the options. A row that names an index has the latter from the start, since another row's run would be refused there
 * for its data.
 * @param plain name in `runs/` @param seed of a trained run
 */
export function folderFor(dir: string, run: BaselineRun, plain: string, seed?: number): string {
  const folder = join(dir, 'runs', plain);
  const config = configOf(folder);
  const { baseline, options: { index } = {} } = run;
  const free = config === undefined && !existsSync(join(folder, 'results.jsonl')) && index === undefined;
  if (free || (isRunOf(run, config, plain) && (seed === undefined || config?.seed === seed))) return folder;
  const hash = hashText(JSON.stringify([wantedOf(run), index])).slice(0, 8);
  return join(dir, 'runs', [baseline, hash, ...(seed === undefined ? [] : [seed])].join('-'));
}

function wantedOf(run: BaselineRun): string {
  return stampOf(run, { ...defaultsOf(baselineOf(run.baseline).options ?? {}), ...run.options });
}

/** The baseline's options among the settings that decide the result, but the seed; in the order of their names. */
function stampOf({ baseline }: BaselineRun, settings: object): string {
  const { seed: _seed, ...declared } = baselineOf(baseline).options ?? {};
  const own = Object.entries(settings).filter(([name]) => Object.hasOwn(declared, name));
  return JSON.stringify(Object.entries(fingerprint(declared, Object.fromEntries(own))).sort(byName));
}

function byName([a]: [string, unknown], [b]: [string, unknown]): number {
  return a < b ? -1 : 1;
}

function hashOf(path: string): string | undefined {
  return existsSync(path) ? hashFile(path) : undefined;
}
