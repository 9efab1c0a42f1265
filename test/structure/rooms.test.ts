/** The layout: which room may import which, no circle of files (types included), no folder of more than 25 files. */
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

const root = fileURLToPath(new URL('../..', import.meta.url));

/**
 * Room -> rooms that it may import. Arrows go one way: pipeline, cli -> badcase, baselines -> train -> evaluate ->
 * decode -> tasks -> lm -> ops -> engine; data and sid stand beside lm and never import it; embed asks it for hidden states.
 */
const ROOMS: Readonly<Record<string, readonly string[]>> = {
  support: [],
  options: ['support'],
  files: ['support'],
  engine: ['support'],
  runs: ['files', 'support'],
  figures: ['files', 'support'],
  ops: ['files', 'support'],
  cluster: ['engine', 'options', 'support'],
  data: ['files', 'options', 'support'],
  embed: ['cluster', 'data', 'engine', 'files', 'lm', 'options', 'support'],
  sid: ['cluster', 'data', 'engine', 'figures', 'files', 'ops', 'options', 'runs', 'support'],
  lm: ['data', 'files', 'ops', 'options', 'support'],
  tasks: ['data', 'files', 'lm', 'options', 'support'],
  decode: ['lm', 'ops', 'support'],
  evaluate: ['cluster', 'data', 'decode', 'embed', 'engine', 'files', 'lm', 'options', 'runs', 'support', 'tasks'],
  train: [
    ...['cluster', 'data', 'decode', 'engine', 'evaluate', 'files', 'lm', 'ops', 'options', 'runs', 'support', 'tasks'],
  ],
  baselines: [
    ...['cluster', 'data', 'decode', 'engine', 'evaluate', 'files', 'lm', 'ops', 'options', 'runs', 'support', 'train'],
  ],
  tables: ['baselines', 'data', 'evaluate', 'figures', 'files', 'options', 'runs', 'support', 'train'],
  badcase: [
    ...['baselines', 'data', 'decode', 'engine', 'evaluate', 'figures', 'files', 'lm', 'options', 'runs', 'support'],
  ],
  compare: ['data', 'evaluate', 'figures', 'files', 'options', 'runs', 'support'],
  pipeline: [
    ...['badcase', 'baselines', 'compare', 'data', 'embed', 'evaluate', 'figures', 'files', 'lm', 'options', 'runs'],
    ...['sid', 'support', 'tasks', 'train'],
  ],
  strategies: [
    ...['badcase', 'data', 'engine', 'evaluate', 'files', 'options', 'pipeline', 'sid', 'support', 'tasks', 'train'],
  ],
  cli: [
    ...['badcase', 'baselines', 'cluster', 'compare', 'data', 'embed', 'engine', 'evaluate', 'figures', 'files', 'lm'],
    ...['options', 'pipeline', 'runs', 'sid', 'strategies', 'support', 'tables', 'tasks', 'train'],
  ],
};

function sources(folder: string): string[] {
  return readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts'))
    .map((name) => join(folder, name));
}

/** Files of lib that a file imports, types included. */
function imports(file: string): string[] {
  const text = readFileSync(join(root, file), 'utf8');
  return [...text.matchAll(/(?:from|import\()\s*'(\.[^']+)\.js'/g)].map(
    ([, path]) => `${join(dirname(file), path!)}.ts`,
  );
}

const files = sources('lib');
const graph = new Map(files.map((file) => [file, imports(file)]));
const roomOf = (file: string): string => relative('lib', file).split('/')[0]!;

test('every room imports only the rooms that it may', () => {
  const rooms = [...new Set(files.filter((file) => relative('lib', file).includes('/')).map(roomOf))];
  expect(rooms.sort()).toEqual(Object.keys(ROOMS).sort());
  const wrong = [...graph].flatMap(([file, targets]) => {
    const room = roomOf(file);
    const allowed = ROOMS[room];
    return targets
      .filter((target) => allowed && roomOf(target) !== room && !allowed.includes(roomOf(target)))
      .map((target) => `${file} -> ${target}`);
  });
  expect(wrong).toEqual([]);
});

test('the table of rooms has no circle', () => {
  const depth = (room: string, path: readonly string[]): void => {
    expect(path, [...path, room].join(' -> ')).not.toContain(room);
    for (const next of ROOMS[room]!) depth(next, [...path, room]);
  };
  for (const room of Object.keys(ROOMS)) depth(room, []);
});

test('no circle of files, types included', () => {
  const done = new Set<string>();
  const visit = (file: string, path: readonly string[]): void => {
    if (path.includes(file)) throw new Error(`circle: ${[...path.slice(path.indexOf(file)), file].join(' -> ')}`);
    if (done.has(file)) return;
    for (const next of graph.get(file) ?? []) visit(next, [...path, file]);
    done.add(file);
  };
  for (const file of files) visit(file, []);
});

test('inside lib nobody imports an index: those are the face for users', () => {
  const wrong = [...graph]
    .filter(([file]) => !file.endsWith('index.ts'))
    .flatMap(([file, targets]) =>
      targets.filter((target) => target.endsWith('/index.ts')).map((target) => `${file} -> ${target}`),
    );
  expect(wrong).toEqual([]);
});

test.each(['lib', 'bench', 'test', 'kernels', 'docs'])('no folder below %s has more than 25 files', (top) => {
  const counts = new Map<string, number>();
  const all = readdirSync(join(root, top), { recursive: true, withFileTypes: true });
  for (const entry of all) {
    const folder = relative(root, entry.parentPath);
    if (entry.isFile() && !folder.startsWith('docs/api')) counts.set(folder, (counts.get(folder) ?? 0) + 1);
  }
  expect([...counts].filter(([, count]) => count > 25)).toEqual([]);
});
