/** One vitest process on files of a workspace, stopped at the first failure or at a time limit. */
import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import { join, relative } from 'node:path';
import { CONFIG_FILE } from './workspace.mjs';

/** Memory of a test's JavaScript, MB: a mutant that collects without end dies of it, not the machine. */
const HEAP = 3000;

/** Processes that run now, ended with this one. */
const running = new Set();

/**
 * @typedef {object} Outcome
 * @property {'passed' | 'failed' | 'timeout' | 'crashed'} status `crashed`: the process ended badly and named no test
 * @property {string} [by] the test that failed, `FILE > NAME`
 * @property {number} seconds
 */

/**
 * Runs the files one after the other, each in a process of its own.
 * @param {string} folder of the workspace
 * @param {readonly string[]} files in this order
 * @param {number} limit seconds after which it is stopped
 * @returns {Promise<Outcome>}
 */
export function runTests(folder, files, limit) {
  const report = join(folder, 'mutants-report.json');
  const temporary = join(folder, '.tmp'); // what a test that was killed leaves behind goes with it
  for (const path of [report, temporary]) rmSync(path, { recursive: true, force: true });
  mkdirSync(temporary);
  const vitest = join(folder, 'node_modules/vitest/vitest.mjs');
  const options = ['--config', CONFIG_FILE, '--bail', '1', '--reporter=json', `--outputFile=${report}`];
  const started = performance.now();
  const child = spawn(process.execPath, [vitest, 'run', ...files, ...options], {
    cwd: folder,
    detached: true, // a group of its own: what the tests have started ends with it
    stdio: 'ignore',
    env: {
      ...process.env,
      MUTANTS_ORDER: JSON.stringify(files),
      NODE_OPTIONS: `--max-old-space-size=${HEAP}`,
      TMPDIR: temporary,
    },
  });
  running.add(child);
  return new Promise((resolve) => {
    let late = false;
    const timer = setTimeout(() => {
      late = true;
      end(child);
    }, limit * 1000);
    child.on('close', (code) => {
      clearTimeout(timer);
      running.delete(child);
      end(child);
      const seconds = (performance.now() - started) / 1000;
      if (late) resolve({ status: 'timeout', seconds });
      else resolve({ ...readOutcome(folder, report, code), seconds });
    });
  });
}

/** Ends what still runs. */
export function endAll() {
  for (const child of running) end(child);
}

function end({ pid }) {
  try {
    process.kill(-pid, 'SIGKILL');
  } catch {
    // all of the group is gone
  }
}

/** @returns {Omit<Outcome, 'seconds'>} */
function readOutcome(folder, report, code) {
  if (!existsSync(report)) return { status: 'crashed' };
  const { testResults } = JSON.parse(readFileSync(report, 'utf8'));
  for (const { name, status, assertionResults } of testResults) {
    const failed = assertionResults.find((test) => test.status === 'failed');
    const file = relative(folder, name);
    if (failed) return { status: 'failed', by: `${file} > ${failed.fullName}` };
    if (status === 'failed') return { status: 'failed', by: `${file} > (does not load)` };
  }
  return { status: code === 0 ? 'passed' : 'crashed' };
}
