/** `npm test`: vitest, and its counts once more in a line that a program can read. */
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { at } from './paths.mjs';
import { shown } from './run.mjs';

/** Runs vitest with `args` (names of test files, options). @returns {Promise<number>} its exit status */
export async function runTests(args) {
  const report = at('.run/vitest.json');
  rmSync(report, { force: true });
  const vitest = [at('node_modules/vitest/vitest.mjs'), 'run'];
  const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${report}`];
  const status = await shown(process.execPath, [...vitest, ...reporters, ...args]);
  const result = existsSync(report) ? JSON.parse(readFileSync(report, 'utf8')) : undefined;
  process.stdout.write(countsLine(result, status) + '\n');
  return status;
}

/**
 * `12 passed, 0 failed, 1 skipped`, from vitest's JSON report.
 * A test file that does not load has no tests to fail and counts as one failure; a run that fails for another reason
 * (no report, an error outside of the tests) counts as one too.
 */
export function countsLine(result, status) {
  const { numPassedTests: passed = 0, numFailedTests = 0, numPendingTests = 0, numTodoTests = 0 } = result ?? {};
  const unloaded = (result?.testResults ?? []).filter(
    (file) => file.status === 'failed' && file.assertionResults.every((test) => test.status !== 'failed'),
  ).length;
  const failed = Math.max(numFailedTests + unloaded, status === 0 ? 0 : 1);
  return `${passed} passed, ${failed} failed, ${numPendingTests + numTodoTests} skipped`;
}
