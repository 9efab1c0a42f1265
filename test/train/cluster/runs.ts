/** Runs of several processes: how far two are apart, and a process that is killed in the middle. */
import type { ChildProcess } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { SafetensorsFile } from '../../../lib/files/safetensors.js';

/** The weights of the last update, by name. */
export function weightsOf(run: string): Float32Array {
  const file = new SafetensorsFile(join(run, 'last/model.safetensors'));
  const parts = [...file.names].sort().map((name) => [...(file.read(name).data as Float32Array)]);
  file.close();
  return Float32Array.from(parts.flat());
}

/** Norm of the difference, relative to the first. */
export function distance(a: Float32Array, b: Float32Array): number {
  let [difference, norm] = [0, 0];
  a.forEach((x, i) => {
    difference += (x - b[i]!) ** 2;
    norm += x ** 2;
  });
  return Math.sqrt(difference / norm);
}

/** Kills a process once the run's `metrics.jsonl` has grown by so many lines; rank -1 kills none. */
export function killer(run: string, victim: number, lines: number) {
  return signaller(run, [victim], lines, 'SIGKILL');
}

/** Ctrl-C on these processes once the run has made a step more. */
export function interrupter(run: string, ranks: readonly number[]) {
  return signaller(run, ranks, 1, 'SIGINT');
}

function signaller(run: string, ranks: readonly number[], lines: number, signal: NodeJS.Signals) {
  const file = join(run, 'metrics.jsonl');
  const count = (): number => (existsSync(file) ? readFileSync(file, 'utf8').split('\n').length - 1 : 0);
  const from = count();
  return {
    started(child: ChildProcess, rank: number): void {
      if (!ranks.includes(rank)) return;
      const timer = setInterval(() => {
        if (count() - from < lines) return;
        clearInterval(timer);
        child.kill(signal);
      }, 5);
      child.on('exit', () => clearInterval(timer));
    },
  };
}
