import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { attempt } from '../../kernels/setup/attempt.mjs';
import { matches } from '../../kernels/setup/node-modules.mjs';
import { peersPython } from '../../kernels/setup/peers.mjs';
import { quietly, reasonIn } from '../../kernels/setup/run.mjs';
import { filesUnder, hashOf, readStamp, writeStamp } from '../../kernels/setup/stamp.mjs';
import { countsLine } from '../../kernels/setup/tests.mjs';

const root = fileURLToPath(new URL('../..', import.meta.url));
let folder = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'sidlab-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

describe('node_modules against the lock file', () => {
  const lock = {
    '': {},
    'node_modules/a': { version: '1.0.0', integrity: 'x' },
    'node_modules/b': { version: '2.0.0', integrity: 'y', optional: true },
  };
  const a = { 'node_modules/a': { version: '1.0.0', integrity: 'x' } };

  test('is complete with every package there; optional ones may be absent', () => {
    expect(matches(lock, a)).toBe(true);
    expect(matches(lock, { ...a, 'node_modules/b': { version: '2.0.0', integrity: 'y' } })).toBe(true);
  });

  test('is incomplete with one missing, of another version or content, or too many', () => {
    expect(matches(lock, {})).toBe(false);
    expect(matches(lock, { 'node_modules/a': { version: '1.0.1', integrity: 'x' } })).toBe(false);
    expect(matches(lock, { 'node_modules/a': { version: '1.0.0', integrity: 'z' } })).toBe(false);
    expect(matches(lock, { ...a, 'node_modules/b': { version: '2.1.0', integrity: 'y' } })).toBe(false);
    expect(matches(lock, { ...a, 'node_modules/c': { version: '1.0.0' } })).toBe(false);
    expect(matches({}, {})).toBe(false);
  });
});

describe('stamps', () => {
  test('a hash sees content, order and where one part ends; a missing file counts as empty', () => {
    const file = join(folder, 'f');
    const before = hashOf('a', { file });
    writeFileSync(file, 'b');
    expect(hashOf('a', { file })).not.toBe(before);
    expect(hashOf('a', { file })).toBe(hashOf('a', 'b'));
    expect(hashOf('ab')).not.toBe(hashOf('a', 'b'));
    expect(hashOf('b', 'a')).not.toBe(hashOf('a', 'b'));
  });

  test('a damaged or missing stamp is an empty one', () => {
    const file = join(folder, 'deep', 'stamp.json');
    expect(readStamp(file)).toEqual({});
    writeStamp(file, { key: 'k' });
    expect(readStamp(file)).toEqual({ key: 'k' });
    writeFileSync(file, '{"key":');
    expect(readStamp(file)).toEqual({});
  });

  test('files are found at any depth, by their endings, in a fixed order', () => {
    mkdirSync(join(folder, 'b'));
    for (const name of ['c.ts', 'a.ts', 'b/d.json', 'b/e.txt']) writeFileSync(join(folder, name), '');
    expect(filesUnder(folder, ['.ts', '.json'])).toEqual(
      ['a.ts', 'b/d.json', 'c.ts'].map((name) => join(folder, name)),
    );
    expect(filesUnder(join(folder, 'nowhere'), ['.ts'])).toEqual([]);
  });
});

describe('what may fail', () => {
  const name = `test-${process.pid}`;
  const file = join(root, '.run', `failed-${name}.json`);
  afterEach(() => rmSync(file, { force: true }));

  test('a failure is remembered; another key, or asking again, tries anew; success forgets', async () => {
    let tries = 0;
    const fail = () => Promise.resolve(`no index ${++tries}`);
    expect(await attempt(name, 'key', fail)).toBe('no index 1');
    expect(await attempt(name, 'key', fail)).toBe('no index 1; tried just now');
    expect(await attempt(name, 'other key', fail)).toBe('no index 2');
    expect(await attempt(name, 'other key', fail, { again: true })).toBe('no index 3');
    expect(await attempt(name, 'other key', () => Promise.resolve(undefined), { again: true })).toBeUndefined();
    expect(await attempt(name, 'other key', fail)).toBe('no index 4');
  });

  test('the reason is one line, the last that speaks of an error', () => {
    expect(reasonIn('Looking\nERROR: No matching distribution found for x\n\n[notice] pip\n')).toBe(
      'No matching distribution found for x',
    );
    expect(reasonIn('x.cc:1:2: fatal error: y.h: No such file\ncompilation terminated.\n')).toContain('y.h');
    expect(reasonIn('')).toBe('no output');
  });

  test('a command that does not exist is status 127, not a crash', async () => {
    expect(await quietly('test', 'no-such-command', [])).toMatchObject({ ok: false, code: 127 });
  });
});

describe('the line of counts', () => {
  const passed = { status: 'passed', assertionResults: [{ status: 'passed' }] };

  test('passed, failed, skipped', () => {
    const report = { numPassedTests: 3, numFailedTests: 0, numPendingTests: 1, numTodoTests: 1, testResults: [passed] };
    expect(countsLine(report, 0)).toBe('3 passed, 0 failed, 2 skipped');
  });

  test('a file that does not load is a failure; so is a run without a report', () => {
    const broken = { status: 'failed', assertionResults: [] };
    expect(countsLine({ numPassedTests: 3, testResults: [passed, broken] }, 1)).toBe('3 passed, 1 failed, 0 skipped');
    const failing = { status: 'failed', assertionResults: [{ status: 'failed' }] };
    expect(countsLine({ numFailedTests: 1, testResults: [failing] }, 1)).toBe('0 passed, 1 failed, 0 skipped');
    expect(countsLine(undefined, 1)).toBe('0 passed, 1 failed, 0 skipped');
  });
});

describe('the project', () => {
  test('the lock file names no registry and keeps out what is never used and has known holes', () => {
    const { packages } = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8')) as {
      packages: Record<string, { name?: string; version?: string; resolved?: string }>;
    };
    expect(Object.entries(packages).filter(([, { resolved }]) => resolved !== undefined)).toEqual([]);
    const real = Object.entries(packages).filter(([path, { name }]) => {
      return /\/(tar|adm-zip|request|xlsx)$/.test(path) && name !== 'empty-npm-package';
    });
    expect(real).toEqual([]);
  });

  test('the set-up imports nothing but built-ins: in a fresh clone there is nothing else', () => {
    const files = [join(root, 'kernels/setup.mjs'), ...filesUnder(join(root, 'kernels/setup'), ['.mjs'])];
    const imported = files.flatMap((file: string) =>
      [...readFileSync(file, 'utf8').matchAll(/from '([^']+)'/g)].map(([, id]) => id!),
    );
    expect(imported.filter((id) => !id.startsWith('node:') && !id.startsWith('.'))).toEqual([]);
  });

  test('an unknown command is reported in one line, before anything is installed', () => {
    const { status, stderr } = spawnSync(process.execPath, ['kernels/setup.mjs', 'strat'], {
      cwd: root,
      encoding: 'utf8',
    });
    expect(status).toBe(1);
    expect(stderr).toBe(
      'sidlab: expected one of setup, start, test, lab, sidlab, bench, mutants, sanitize, matrix, got strat\n',
    );
  });

  test('npm run setup passes its options on, and refuses what it does not know before anything is installed', () => {
    const { status, stderr } = spawnSync('npm', ['run', '--silent', 'setup', '--', '--pears'], {
      cwd: root,
      encoding: 'utf8',
    });
    expect(status).toBe(1);
    expect(stderr).toBe('sidlab: setup: expected --peers or nothing, got --pears\n');
  });

  test('every package of the peers is pinned', () => {
    const lines = readFileSync(join(root, 'bench/peers/requirements.txt'), 'utf8').trim().split('\n');
    expect(lines.filter((line) => !/^[\w.-]+==[\w.]+$/.test(line))).toEqual([]);
  });

  test('the peers run in the Python of SIDLAB_PEERS, whatever is installed', () => {
    vi.stubEnv('SIDLAB_PEERS', '/some/python');
    expect(peersPython()).toBe('/some/python');
    vi.unstubAllEnvs();
  });

  test("Jupyter's kernel names no path of a machine, and its starter is there", () => {
    const text = readFileSync(join(root, 'kernels/tslab/kernel.json'), 'utf8');
    const { argv } = JSON.parse(text) as { argv: string[] };
    expect(argv).toEqual(['node', '{resource_dir}/start.mjs', '{connection_file}']);
    expect(existsSync(join(root, 'kernels/tslab/start.mjs'))).toBe(true);
  });
});
