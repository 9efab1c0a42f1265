/** The notebook's stop button: a cell that trains stops, run again it goes on, and ends on the weights of a whole run. */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { hasJupyter } from '../../kernels/setup/jupyter.mjs';
import { VENV_PYTHON } from '../../kernels/setup/paths.mjs';

const ROOT = join(import.meta.dirname, '../..');
const ready = hasJupyter() && existsSync(join(ROOT, 'dist/index.js'));
const skipped = ready ? '' : ' (skipped: no Jupyter in .venv or no dist; npm run setup makes them)';

interface Printed {
  whole: string;
  pressed: string[];
  done: string;
}

test.skipIf(!ready)(
  `a cell stopped twice by the button ends on the weights of one that never was${skipped}`,
  () => {
    const folder = mkdtempSync(join(tmpdir(), 'pressed-'));
    const { stdout, stderr } = spawnSync(VENV_PYTHON, [join(ROOT, 'test/python/press_stop.py'), folder], {
      encoding: 'utf8',
      cwd: join(ROOT, 'notebooks'),
      env: { ...process.env, JUPYTER_PATH: ROOT },
    });
    const last = stdout.trim().split('\n').at(-1)!;
    expect(last, stderr).toMatch(/^\{/);
    const { whole, pressed, done } = JSON.parse(last) as Printed;
    const steps = pressed.map((text) => Number(/sft: interrupted at step (\d+); saved in/.exec(text)?.[1]));
    expect(steps[0]).toBeGreaterThanOrEqual(20);
    expect(steps[1]).toBeGreaterThanOrEqual(60);
    expect(steps[1]).toBeGreaterThan(steps[0]!);
    const weights = (text: string) => /weights (\w{16})/.exec(text)?.[1];
    expect(weights(whole)).toBeDefined();
    expect(weights(done)).toBe(weights(whole));
  },
  120_000,
);
