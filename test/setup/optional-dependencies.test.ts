/** Without an optional dependency the library compiles, every room of the package loads, and the command works. */
import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, test } from 'vitest';
import { filesUnder } from '../../kernels/setup/stamp.mjs';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const OPTIONAL = Object.keys(
  (JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as { optionalDependencies: object })
    .optionalDependencies,
);
const built = existsSync(join(ROOT, 'dist/index.js'));

const scratch = mkdtempSync(join(tmpdir(), 'sidlab-optional-'));
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

/** Entries of node_modules: `a`, `@scope/b`. */
function packages(): string[] {
  const at = join(ROOT, 'node_modules');
  return readdirSync(at).flatMap((name) =>
    name.startsWith('@') ? readdirSync(join(at, name)).map((own) => `${name}/${own}`) : [name],
  );
}

/** The project's sources and output, with links to all packages but one. */
function treeWithout(hidden: string): string {
  const tree = mkdtempSync(join(scratch, 'tree-'));
  for (const name of ['lib', 'dist', 'package.json', 'tsconfig.json', 'tsconfig.build.json']) {
    if (existsSync(join(ROOT, name))) cpSync(join(ROOT, name), join(tree, name), { recursive: true });
  }
  for (const name of ['kernels', '.venv']) {
    if (existsSync(join(ROOT, name))) symlinkSync(join(ROOT, name), join(tree, name));
  }
  for (const name of packages()) {
    if (name === hidden) continue;
    const link = join(tree, 'node_modules', name);
    mkdirSync(join(link, '..'), { recursive: true });
    symlinkSync(join(ROOT, 'node_modules', name), link);
  }
  return tree;
}

test('there is something to hide', () => {
  expect(OPTIONAL).toEqual(['@huggingface/transformers']);
});

describe.each(OPTIONAL)('without %s', (hidden) => {
  const tree = treeWithout(hidden);
  const node = (...args: string[]) => spawnSync(process.execPath, args, { cwd: tree, encoding: 'utf8' });

  test('no source names it where the compiler looks for its types', () => {
    const naming = filesUnder(join(ROOT, 'lib'), ['.ts']).filter((file: string) => {
      const text = readFileSync(file, 'utf8');
      return [`from '${hidden}`, `import('${hidden}`, `import '${hidden}`].some((form) => text.includes(form));
    });
    expect(naming).toEqual([]);
  });

  test('the room that uses it compiles', () => {
    const using = filesUnder(join(tree, 'lib'), ['.ts']).filter((file: string) =>
      readFileSync(file, 'utf8').includes(hidden),
    );
    expect(using.length).toBeGreaterThan(0);
    const options = ['--module', 'NodeNext', '--target', 'ES2022', '--types', 'node', '--strict', '--skipLibCheck'];
    const { status, stdout } = node('node_modules/typescript/bin/tsc', '--noEmit', ...options, ...using);
    expect(stdout).toBe('');
    expect(status).toBe(0);
  });

  test.runIf(built)('every room loads', () => {
    const rooms = ['', ...readdirSync(join(tree, 'dist'), { withFileTypes: true }).map(({ name }) => `${name}/`)]
      .map((room) => `./dist/${room}index.js`)
      .filter((file: string) => existsSync(join(tree, file)));
    expect(rooms.length).toBeGreaterThan(10);
    const { status, stderr } = node(
      '-e',
      rooms.map((room) => `await import('${room}');`).join(''),
      '--input-type=module',
    );
    expect([status, stderr]).toEqual([0, '']);
  });

  test.runIf(built)('the doctor looks the machine over', () => {
    const { status, stdout } = node('dist/cli.js', 'doctor', '--json');
    expect(status).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ node: process.versions.node });
  });

  test.runIf(built)('what needs it says so in a line', () => {
    const [encoder, shop] = [join(ROOT, 'test/golden/tiny-encoder'), join(tree, 'shop')];
    cpSync(join(ROOT, 'test/cases/shop'), shop, { recursive: true });
    const { status, stderr } = node('dist/cli.js', 'embed', '--data', shop, '--encoder', encoder);
    expect(status).not.toBe(0);
    const said = stderr.replace(/^sidlab: no tensorflow engine .*\n/, ''); // where there is no compiler
    expect(said).toMatch(new RegExp(`^[^\\n]*${hidden} does not load[^\\n]*\\n$`));
  });
});
