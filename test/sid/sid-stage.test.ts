import { existsSync, mkdtempSync, readdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import { readIndex } from '../../lib/data/sid-index.js';
import { useEngine } from '../../lib/engine/engine.js';
import { readNpy, writeNpy } from '../../lib/files/npy.js';
import type { SidMethod } from '../../lib/sid/sid-options.js';
import { sidStage } from '../../lib/sid/sid-stage.js';
import { Random } from '../../lib/support/random.js';

beforeAll(() => useEngine());

function embeddings(rows: number, bad?: number): string {
  const random = new Random(1);
  const path = join(mkdtempSync(join(tmpdir(), 'sid-')), 'Toys.emb-lsa.npy');
  const data = Float32Array.from({ length: rows * 4 }, (_, i) => (i === bad ? NaN : random.normal()));
  writeNpy(path, { rows, width: 4, data });
  return path;
}

test('vectors -> index and codebooks', async () => {
  const path = embeddings(64);
  const report = await sidStage({ embeddings: path, codebookSize: 8 });
  expect(report).toMatchObject({
    method: 'rqkmeans',
    items: 64,
    levels: 3,
    codebookSize: [8, 8, 8],
    collision: { final: 0 },
  });
  expect(report.index).toBe(path.replace('.emb-lsa.npy', '.index.json'));
  const index = readIndex(report.index, 64);
  expect(new Set(index.map((tokens) => tokens.join(''))).size).toBe(64);
  expect(index[0]!.map((token) => token.slice(0, 3))).toEqual(['<a_', '<b_', '<c_']);
  expect(report.codebooks.map((file) => readNpy(file).rows)).toEqual([8, 8, 8]);
  expect(report.codesUsed).toHaveLength(3);
  expect(JSON.parse(JSON.stringify(report))).toEqual(report);
});

test('mistakes leave nothing behind', async () => {
  const path = embeddings(10, 22);
  await expect(sidStage({ embeddings: path })).rejects.toThrow(`${path}: row 5, column 2 is NaN`);
  await expect(sidStage({ embeddings: path, method: 'magic' as SidMethod })).rejects.toThrow(
    /expected --method rqkmeans.*, got magic/,
  );
  await expect(sidStage({ embeddings: path, index: 'x.json' })).rejects.toThrow(
    'expected --index to end in .index.json',
  );
  await expect(sidStage({ embeddings: path + 'x' })).rejects.toThrow('no such file; run sidlab embed first');
  expect(readdirSync(join(path, '..'))).toEqual(['Toys.emb-lsa.npy']);
  expect(existsSync('x.json')).toBe(false);
});
