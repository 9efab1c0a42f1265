/**
 * A copy of the project in a temporary folder, in which one mutant at a time is in place. The project itself is never
 * touched: only `node_modules` and `.venv` are linked, data and results of the project are left behind.
 *
 * `dist` is made from the copied `lib`, file by file and without type checks, and follows each mutant: tests that start
 * the command or a worker see the mutant too.
 */
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, extname, join } from 'node:path';
import ts from 'typescript';

const LINKED = ['node_modules', '.venv'];
/** Names left behind at every level, and those at the top alone. */
const NOWHERE = new Set(['node_modules', '.venv', '.git', '.run', '.ipynb_checkpoints']);
const NOT_AT_TOP = new Set(['dist', 'data', 'figures']);

/**
 * Vitest's configuration of the copy: the project's own, but each file in a process of its own, since a mutant may spoil
 * one; the files in the order given, nothing written to the links.
 */
const CONFIG = `
import { relative } from 'node:path';
import { mergeConfig } from 'vitest/config';
BASE
const order = JSON.parse(process.env.MUTANTS_ORDER ?? '[]');
const place = ({ moduleId }) => order.indexOf(relative(import.meta.dirname, moduleId));
class InOrder {
  shard(files) {
    return files;
  }
  sort(files) {
    return [...files].sort((a, b) => place(a) - place(b));
  }
}
const { projects: _, ...test } = base.test ?? {};
export default mergeConfig({ ...base, test }, {
  cacheDir: '.vite',
  test: { pool: 'forks', maxWorkers: 1, fileParallelism: false, sequence: { sequencer: InOrder } },
});
`;
export const CONFIG_FILE = 'vitest.mutants.config.mjs';

/** Folders that are removed when the process ends, however it ends. */
const folders = new Set();
process.once('exit', () => folders.forEach(remove));

export class Workspace {
  /** @param {string} root the project's folder */
  constructor(root) {
    this.folder = mkdtempSync(join(tmpdir(), 'sidlab-mutants-'));
    folders.add(this.folder);
    for (const name of readdirSync(root)) {
      if (NOWHERE.has(name) || NOT_AT_TOP.has(name)) continue;
      cpSync(join(root, name), join(this.folder, name), {
        recursive: true,
        filter: (path) =>
          !NOWHERE.has(
            path
              .slice(root.length + 1)
              .split(/[\\/]/)
              .at(-1),
          ),
      });
    }
    for (const name of LINKED) {
      if (existsSync(join(root, name))) symlinkSync(join(root, name), join(this.folder, name));
    }
    for (const name of ['data', 'figures']) mkdirSync(join(this.folder, name));
    const base = existsSync(join(root, 'vitest.config.ts'))
      ? "import base from './vitest.config.ts';"
      : 'const base = {};';
    writeFileSync(join(this.folder, CONFIG_FILE), CONFIG.replace('BASE', base));
    this.#buildAll();
  }

  /** Puts `source` in the place of a file until the returned function is called. @param {string} file */
  replace(file, source) {
    const original = readFileSync(join(this.folder, file), 'utf8');
    this.#write(file, source);
    return () => this.#write(file, original);
  }

  dispose() {
    remove(this.folder);
    folders.delete(this.folder);
  }

  #write(file, source) {
    writeFileSync(join(this.folder, file), source);
    this.#build(file, source);
  }

  #buildAll() {
    const lib = join(this.folder, 'lib');
    if (!existsSync(lib)) return;
    for (const name of readdirSync(lib, { recursive: true })) {
      const file = `lib/${String(name).replaceAll('\\', '/')}`;
      if (['.ts', '.json'].includes(extname(file))) this.#build(file, readFileSync(join(this.folder, file), 'utf8'));
    }
  }

  #build(file, source) {
    if (!file.startsWith('lib/')) return;
    const built = join(this.folder, file.replace(/^lib/, 'dist').replace(/\.ts$/, '.js'));
    mkdirSync(dirname(built), { recursive: true });
    writeFileSync(built, file.endsWith('.ts') ? transpile(file, source) : source);
  }
}

function remove(folder) {
  rmSync(folder, { recursive: true, force: true });
}

function transpile(fileName, source) {
  const compilerOptions = {
    target: ts.ScriptTarget.ES2022,
    module: ts.ModuleKind.ESNext,
    verbatimModuleSyntax: true,
  };
  return ts.transpileModule(source, { fileName, compilerOptions }).outputText;
}
