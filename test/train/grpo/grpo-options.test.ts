/** Options of GRPO at their bounds, before anything is read or written. */
import { existsSync, mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { grpo } from '../../../lib/train/grpo/grpo.js';

const folder = mkdtempSync(join(tmpdir(), 'sidlab-grpo-options-'));
const options = {
  data: join(folder, 'nowhere'),
  index: join(folder, 'nowhere.index.json'),
  run: join(folder, 'run'),
  model: 'test/golden/qwen2-tied',
};

test('a group needs two completions to compare', async () => {
  await expect(grpo({ ...options, numGenerations: 1 })).rejects.toThrow(
    /expected numGenerations to be a whole number of 2 or more, got 1$/,
  );
  await expect(grpo({ ...options, numGenerations: 2 })).rejects.toThrow(/nowhere/); // only the data are missing
  expect(existsSync(options.run)).toBe(false);
});
