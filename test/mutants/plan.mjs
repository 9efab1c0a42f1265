/** From the list of modules to the mutants that are run: which files, which tests, which sample. */
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { drawByOperator, hash, listMutants, textMutant } from './mutate.mjs';

/** @typedef {import('./modules.mjs').Module} Module @typedef {import('./mutate.mjs').Mutant} Mutant */

/** The files of a project that a list of paths names. @param {string} root @param {readonly string[]} paths */
export function filesOf(root, paths) {
  return paths.flatMap((path) => (path.endsWith('/') ? below(root, path, '.ts') : [path]));
}

/**
 * The test files of a module; folders and files that are not there are passed over.
 * @param {string} root @param {Module} module @returns {string[]}
 */
export function testsOf(root, { tests, without = [] }) {
  const present = tests.filter((path) => existsSync(join(root, path)));
  const all = present.flatMap((path) =>
    statSync(join(root, path)).isDirectory() ? below(root, path, '.test.ts') : [path],
  );
  return [...new Set(all)].filter((file) => !without.includes(file));
}

/**
 * The sample of a module, or of one file of it.
 * @param {string} root @param {Module} module
 * @param {{ sample: number, seed: number | string, file?: string }} options
 * @returns {Mutant[]} by file and line
 */
export function sampleOf(root, module, { sample, seed, file }) {
  const files = filesOf(root, module.files).filter((name) => file === undefined || name === file);
  const all = files.flatMap((name) => listMutants(name, readFileSync(join(root, name), 'utf8')));
  return inOrder(drawByOperator(all, sample, seed));
}

/**
 * The changes of a fixed list; `stale` says of each whose text is no longer in its file.
 * @param {string} root @param {readonly { what: string, file: string, find: string, replace: string }[]} changes
 * @returns {{ mutants: Mutant[], stale: string[] }}
 */
export function fixedMutants(root, changes) {
  const mutants = [];
  const stale = [];
  for (const change of changes) {
    try {
      mutants.push(textMutant(change.file, readFileSync(join(root, change.file), 'utf8'), change));
    } catch (error) {
      stale.push(error.message);
    }
  }
  return { mutants, stale };
}

/** The module that a file belongs to. @param {string} root @param {Record<string, Module>} modules @param {string} file */
export function moduleOf(root, modules, file) {
  const found = Object.entries(modules).find(([, { files }]) => filesOf(root, files).includes(file));
  if (!found) throw new Error(`${file}: expected a file of the list in modules.mjs, got none; add it there`);
  return found[0];
}

/**
 * Decides whether a result still holds: the file, the change, the tests and their helpers.
 * @param {(file: string) => string} read the text of a file of the project
 * @param {Mutant} mutant @param {readonly string[]} tests files of tests, helpers included
 */
export function resultKey(read, { file, operator, start, end, to }, tests) {
  return hash(read(file), operator, start, end, to, ...[...tests].sort().map((name) => [name, read(name)]));
}

function inOrder(mutants) {
  return [...mutants].sort((a, b) => (a.file === b.file ? a.start - b.start : a.file < b.file ? -1 : 1));
}

/** Files below a folder, sorted. */
function below(root, folder, ending) {
  const names = readdirSync(join(root, folder), { recursive: true }).map((name) => String(name).replaceAll('\\', '/'));
  const inside = names.filter((name) => name.endsWith(ending)).map((name) => join(folder, name).replaceAll('\\', '/'));
  return inside.filter((name) => !name.endsWith('/index.ts')).sort();
}
