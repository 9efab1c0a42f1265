/** A command in a process of its own, killed in the middle: the built one (`npm test` builds it first). */
import { spawn } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { isLibraryBuilt } from '../../../kernels/setup/build.mjs';
import type { GrpoOptions } from '../../../lib/train/grpo/grpo-options.js';
import type { SftOptions } from '../../../lib/train/sft/sft-options.js';

/** The killed process is `dist`, the one in the test is `lib`: of different code they end on different bits. */
export function expectBuilt(): void {
  if (isLibraryBuilt()) return;
  const newest = (dir: string, ending: string): number =>
    Math.max(
      ...readdirSync(dir, { recursive: true, encoding: 'utf8' })
        .filter((name) => name.endsWith(ending))
        .map((name) => statSync(join(dir, name)).mtimeMs),
    );
  const built = ['dist/.stamp.json', 'dist/.tsbuildinfo'].filter((file) => existsSync(file));
  const when = Math.max(newest('dist', '.js'), ...built.map((file) => statSync(file).mtimeMs));
  if (newest('lib', '.ts') > when) throw new Error('dist/ is older than lib/: npm run build, then run this test again');
}

/** The command in a process of its own, killed once `metrics.jsonl` has grown by `lines`. @returns exit status */
export function runAndKill(
  command: 'sft' | 'grpo',
  options: SftOptions | GrpoOptions,
  lines: number,
  signal: NodeJS.Signals = 'SIGKILL',
): Promise<number | null> {
  const flag = (name: string): string => `--${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
  const args = Object.entries(options).flatMap(([name, value]) =>
    value === true ? [flag(name)] : [flag(name), String(value)],
  );
  const child = spawn(process.execPath, ['dist/cli.js', command, ...args], { stdio: 'ignore' });
  const file = join(options.run!, 'metrics.jsonl');
  const count = (): number => (existsSync(file) ? readFileSync(file, 'utf8').split('\n').length : 0);
  const from = count();
  return new Promise((resolve) => {
    const timer = setInterval(() => {
      if (count() - from < lines) return;
      clearInterval(timer);
      child.kill(signal);
    }, 2);
    child.on('exit', (status) => {
      clearInterval(timer);
      resolve(status);
    });
  });
}
