/** `grpo --scorer-model`: a folder that is no trained baseline is refused in a line, before anything is written. */
import { mkdtempSync, readdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { COMMANDS } from '../../lib/cli/commands.js';

test('a folder without a trained baseline', async () => {
  const data = mkdtempSync(join(tmpdir(), 'sidlab-scorer-'));
  const run = COMMANDS.grpo!.run({ data, reward: 'sasrec', model: data }, { scorerModel: data });
  await expect(run).rejects.toThrow(/config\.json: .*model folder of a trained baseline/);
  expect(readdirSync(data)).toEqual([]);
});
