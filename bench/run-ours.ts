/** Runs ours of a benchmark in a process of its own, so that its memory is its own. */
import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

/**
 * @param script of `bench/`, such as `train/sft-step-ours.js`; what it writes to standard error is shown
 * @returns the object that it prints
 */
export function runOurs<T>(script: string, ...args: string[]): T {
  const path = fileURLToPath(new URL(script, import.meta.url));
  const output = execFileSync(process.execPath, [path, ...args], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'inherit'],
    maxBuffer: 1 << 28,
  });
  return JSON.parse(output) as T;
}
