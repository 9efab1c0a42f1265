/**
 * Which runs a row about a baseline means: those whose options are the row's, and the defaults where the row says nothing.
 * Compared is what a run's `config.json` holds, the fingerprint: neither seed nor folder, no option that came later at its
 * default.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { baselineOf } from '../baselines/baselines.js';
import { ARCHITECTURES } from '../baselines/sequence/architectures.js';
import { baselineResults, findResults, readRecord } from '../baselines/results-record.js';
import { hashFile, hashText, readJson } from '../files/files.js';
import { fingerprint } from '../options/derive.js';
import { defaultsOf } from '../options/schema.js';
import { modelFiles } from '../runs/inputs.js';
import type { BaselineRun, StageRun } from './paper-table.js';
import { stageOptions } from './stage-options.js';

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
  /** Of a trained baseline: items of a history that its model looks at. */
  longest?: number;
}

/**
 * Of the folder's run, else beside a baseline's results; absent where nothing says it.
 * @param excludeHistory of its two results files which
 */
export function configOf(folder: string, excludeHistory = false): RunConfig | undefined {
  const results = findResults(folder, excludeHistory);
  const record = results === undefined ? undefined : readRecord(results);
  const config = readThere<RunConfig>(join(folder, 'config.json'));
  if (config?.baseline === undefined) return record ?? config;
  const model = readThere<{ size?: { longest?: number } }>(join(folder, 'model', 'config.json'));
  const [part, longest] = [record?.part, model?.size?.longest];
  return { ...config, ...(part !== undefined && { part }), ...(longest !== undefined && { longest }) };
}

function readThere<T>(file: string): T | undefined {
  return existsSync(file) ? readJson<T>(file) : undefined;
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
  return (
    sameIndex && isPrecisionOf(run.options, config) && wantedOf(wholeHistories(run, config)) === stampOf(run, config)
  );
}

/** The stage is the row's, and so is every option that the row says; a run is silent of one that came later. */
export function isStageOf({ stage, options = {} }: StageRun, config: RunConfig | undefined): boolean {
  if (config?.stage !== stage) return false;
  const declared = stageOptions(stage);
  return Object.entries(options).every(([name, value]) => {
    if (name === 'model') return isModelOf(String(value), config);
    if (name === 'precision') return isPrecisionOf(options, config);
    const noted = config[name] ?? declared[name]?.default;
    return JSON.stringify(noted) === JSON.stringify(value);
  });
}

/** Every machine chooses for itself, so that a row that asks for nothing means either. */
function isPrecisionOf({ precision = 'auto' }: Readonly<Record<string, unknown>> = {}, config: RunConfig): boolean {
  return precision === 'auto' || precision === (config.precision ?? 'float32');
}

/** A run names the shape that it started from; of files it has the hashes. */
function isModelOf(model: string, { model: shape, inputs = {} }: RunConfig): boolean {
  const files = modelFiles(model);
  if (shape !== undefined || files.length === 0) return shape === model;
  return files.every(([name, path]) => inputs[name] === hashFile(path));
}

/** A run notes no length of histories where it is as long as the longest one: a row that asks for as many means it too. */
function wholeHistories(run: BaselineRun, { historyLength: noted, longest }: RunConfig): BaselineRun {
  const { historyLength, ...options } = run.options ?? {};
  const whole = noted === undefined && longest !== undefined && Number(historyLength) >= longest;
  return whole && ARCHITECTURES.some(({ name }) => name === run.baseline) ? { ...run, options } : run;
}

/**
 * Where a run of the row goes: the plain folder while it is free or holds such a run, else one whose name has a hash of
 * the options. A row that names an index has the latter from the start, since another row's run would be refused there
 * for its data.
 * @param plain name in `runs/` @param seed of a trained run
 */
export function folderFor(dir: string, run: BaselineRun, plain: string, seed?: number): string {
  const folder = join(dir, 'runs', plain);
  const { baseline, options: { index, precision = 'auto' } = {}, excludeHistory } = run;
  const config = configOf(folder, excludeHistory);
  const taken = config !== undefined || existsSync(join(folder, baselineResults(excludeHistory)));
  const free = !taken && index === undefined;
  if (free || (isRunOf(run, config, plain) && (seed === undefined || config?.seed === seed))) return folder;
  const hash = hashText(JSON.stringify([wantedOf(run), index, ...(precision === 'auto' ? [] : [precision])])).slice(
    0,
    8,
  );
  return join(dir, 'runs', [baseline, hash, ...(seed === undefined ? [] : [seed])].join('-'));
}

/** Where a language model's run of the row goes: the plain folder while no other run is there. */
export function stageFolder(dir: string, run: StageRun): string {
  const folder = join(dir, 'runs', run.stage);
  const config = configOf(folder);
  if (config === undefined || isStageOf(run, config)) return folder;
  return `${folder}-${hashText(JSON.stringify(run.options ?? {})).slice(0, 8)}`;
}

function wantedOf(run: BaselineRun): string {
  return stampOf(run, { ...defaultsOf(baselineOf(run.baseline).options ?? {}), ...run.options });
}

/** The baseline's options among the settings that decide the result, but seed and precision; in the order of their names. */
function stampOf({ baseline }: BaselineRun, settings: object): string {
  const { seed: _seed, precision: _precision, ...declared } = baselineOf(baseline).options ?? {};
  const own = Object.entries(settings).filter(([name]) => Object.hasOwn(declared, name));
  return JSON.stringify(Object.entries(fingerprint(declared, Object.fromEntries(own))).sort(byName));
}

function byName([a]: [string, unknown], [b]: [string, unknown]): number {
  return a < b ? -1 : 1;
}

function hashOf(path: string): string | undefined {
  return existsSync(path) ? hashFile(path) : undefined;
}
