/**
 * Stages that are not run again when nothing changed.
 *
 * A stage's stamp (`DIR/.stages/NAME.json`) holds a hash of its options, of the bytes of its inputs, and its result.
 * It is valid only while every output is still there with the bytes that were written.
 */
import { existsSync, rmSync } from 'node:fs';
import { join, relative } from 'node:path';
import { hashFile, hashText, readJson, writeJson } from '../files/files.js';
import { hasInput, inputFiles } from '../files/input-files.js';
import { tell } from '../support/progress.js';
import { codeVersion } from './code-version.js';

/** A step from files to files that is not run again while nothing changed. */
export interface Stage {
  /** Also the stamp's file name. */
  name: string;
  /** The data folder that the stage writes to. */
  dir: string;
  /** Files and folders that it reads. */
  inputs: string[];
  /** Whatever else decides the output: options, seed, engine. JSON. */
  options: unknown;
  /** Files that it writes. */
  outputs: string[];
  /** Run it although its outputs are there. Default false. */
  again?: boolean;
}

/** A stage's result, and whether it ran. */
export interface Ran<T> {
  /** Of this run, or of the earlier one. */
  result: T;
  /** False where the stamp was valid. */
  ran: boolean;
}

interface Stamp<T> {
  key: string;
  /** Hash of the code that made it; absent in older stamps. */
  code?: string;
  outputs: Record<string, string>;
  result: T;
}

/** Runs `work` unless the stage's stamp says that its outputs are up to date. `result` must survive JSON. */
export async function runStage<T>(stage: Stage, work: () => T | Promise<T>): Promise<Ran<T>> {
  const file = join(stage.dir, '.stages', `${stage.name}.json`);
  const key = hashText(JSON.stringify([stage.options, stage.inputs.map((path) => [path, hashOf(path)])]));
  const old = existsSync(file) ? readJson<Stamp<T>>(file) : undefined;
  if (old?.key === key && stage.outputs.every((path) => hashOf(path) !== '' && old.outputs[path] === hashOf(path))) {
    if (stage.again !== true) {
      tellIfOtherCode(old.code);
      return { result: old.result, ran: false };
    }
  }
  rmSync(file, { force: true });
  const result = await work();
  const outputs = Object.fromEntries(stage.outputs.map((path) => [path, hashOf(path)]));
  writeJson(file, { key, code: codeVersion().hash, outputs, result } satisfies Stamp<T>);
  return { result, ran: true };
}

let told = false;

/** Once a process: results outlive the code that made them, and whoever changed the code should know. */
function tellIfOtherCode(code: string | undefined): void {
  if (told || code === undefined || code === codeVersion().hash) return;
  told = true;
  tell('kept results that were made by other code; --again redoes them');
}

/** Of a folder or a pattern: of its files' names and bytes. */
function hashOf(path: string): string {
  if (!hasInput(path)) return '';
  const files = inputFiles(path);
  if (files.length === 1 && files[0] === path) return hashFile(path);
  return hashText(JSON.stringify(files.map((file) => [relative(path, file), hashFile(file)])));
}
