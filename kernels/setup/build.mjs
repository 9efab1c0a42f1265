/** lib/ -> dist/ and bench/ -> .run/bench/, by the TypeScript compiler, when a source has changed. */
import { existsSync, rmSync } from 'node:fs';
import { relative } from 'node:path';
import { ROOT, at } from './paths.mjs';
import { quietly } from './run.mjs';
import { filesUnder, hashOf, readStamp, writeStamp } from './stamp.mjs';

const LIBRARY = { sources: 'lib', out: 'dist', config: 'tsconfig.build.json' };

/** @returns true if lib was compiled @throws if it does not compile */
export function buildLibrary() {
  return compile(LIBRARY);
}

/** Whether what was compiled last is what lib holds now, whenever its files were written. */
export function isLibraryBuilt() {
  return buildKey(LIBRARY.out) === keyOf(LIBRARY);
}

/** Benchmarks import the built package by its name, so the library comes first. */
export function buildBenchmarks() {
  return compile({ sources: 'bench', out: '.run/bench', config: 'tsconfig.bench.json', after: buildKey('dist') });
}

/** The key of what is in an output folder. */
export function buildKey(out) {
  return readStamp(at(out, '.stamp.json')).key ?? '';
}

async function compile({ sources, out, config, after = '' }) {
  const files = sourcesOf(sources);
  if (files.length === 0) return false;
  const key = keyOf({ sources, config, after });
  const complete = files.every((file) => !file.endsWith('.ts') || existsSync(outputOf(file, sources, out)));
  if (complete && buildKey(out) === key) return false;

  if (!complete) rmSync(at(out, '.tsbuildinfo'), { force: true }); // else the compiler believes in what is gone
  rmSync(at(out, '.stamp.json'), { force: true });
  const tsc = [at('node_modules/typescript/bin/tsc'), '-p', at(config)];
  const { ok, output } = await quietly(`tsc-${sources}`, process.execPath, tsc);
  if (!ok) throw new Error(`${sources}/ does not compile; mend these and start again:\n${output.trimEnd()}`);
  removeOrphans(sources, out, files);
  writeStamp(at(out, '.stamp.json'), { key });
  return true;
}

const sourcesOf = (folder) => filesUnder(at(folder), ['.ts', '.json']);

function keyOf({ sources, config, after = '' }) {
  const inputs = [...sourcesOf(sources), at('tsconfig.json'), at(config), at('package-lock.json')];
  return hashOf(after, ...inputs.flatMap((file) => [relative(ROOT, file), { file }]));
}

/** `lib/data/load.ts` -> `dist/data/load.js` */
function outputOf(source, sources, out) {
  return at(out, relative(at(sources), source).replace(/\.ts$/, '.js'));
}

/** Removes outputs whose source is gone, so that no stale module is ever imported. */
function removeOrphans(sources, out, files) {
  const wanted = new Set(files.map((file) => outputOf(file, sources, out)));
  for (const file of filesUnder(at(out), ['.js', '.d.ts'])) {
    if (!wanted.has(file.replace(/\.d\.ts$/, '.js'))) rmSync(file);
  }
}
