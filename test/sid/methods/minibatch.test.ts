/** Residual k-means from a file in batches: its error against all rows at once, the same from memory, what it reads. */
import { copyFileSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { useEngine } from '../../../lib/engine/engine.js';
import { memoryRows, withNpyRows } from '../../../lib/files/npy-rows.js';
import { rowSlice, type Vectors, writeNpy } from '../../../lib/files/npy.js';
import { assignSids } from '../../../lib/sid/assign-sids.js';
import { reassign } from '../../../lib/sid/collisions/reassign.js';
import { batchesOfRuns, rowsOfRuns } from '../../../lib/sid/kmeans/minibatch-rows.js';
import { rqKmeansMiniBatch, rqKmeansOfFile } from '../../../lib/sid/kmeans/rqkmeans-minibatch.js';
import { rqKmeans } from '../../../lib/sid/kmeans/rqkmeans.js';
import { sidStage } from '../../../lib/sid/sid-stage.js';
import { readIndex, sidTokens } from '../../../lib/data/sid-index.js';
import { Random } from '../../../lib/support/random.js';

beforeAll(async () => void (await useEngine()));

const folder = mkdtempSync(join(tmpdir(), 'minibatch-'));
afterAll(() => rmSync(folder, { recursive: true }));

/** Rows in the order of their groups, as a catalogue sorted by category. */
function sortedClouds(rows: number, width: number, groups: number): Vectors {
  const random = new Random(4);
  const centres = Array.from({ length: groups * width }, () => random.normal());
  const data = Float32Array.from({ length: rows * width }, (_, at) => {
    const group = Math.floor((Math.floor(at / width) * groups) / rows);
    return centres[group * width + (at % width)]! + 0.5 * random.normal();
  });
  return { rows, width, data };
}

const x = sortedClouds(3000, 5, 40);
const file = join(folder, 'Toys.emb-lsa.npy');
writeNpy(file, x);
const options = { levels: 2, codebookSize: 16, collisions: 'keep', sampleRows: 512, batchSize: 512 } as const;

/** One cloud in the order of its first column: no start is much better than another, so that methods can be compared. */
function sortedCloud(rows: number, width: number): Vectors {
  const random = new Random(6);
  const all = Array.from({ length: rows }, () => Array.from({ length: width }, () => random.normal()));
  return { rows, width, data: Float32Array.from(all.sort((a, b) => a[0]! - b[0]!).flat()) };
}

test('within 6 % of all rows at once, though rows are sorted and a sample of 512 is what it begins with', () => {
  const cloud = sortedCloud(3000, 5);
  const full = rqKmeans(cloud, { levels: 2, codebookSize: 16, collisions: 'keep' });
  const [sample, passes] = [0, 3].map((n) => rqKmeansMiniBatch(cloud, { ...options, passes: n }).mse);
  expect(passes).toBeLessThan(1.06 * full.mse);
  expect(passes).toBeLessThan(sample!);
});

test('from a file the same bits as from memory, in any type of number that is read', () => {
  const found = rqKmeansOfFile(file, options);
  const memory = rqKmeansMiniBatch(x, options);
  expect(found.codes).toEqual(memory.codes);
  expect(found.codebooks).toEqual(memory.codebooks);
  expect(found.raw).toEqual(assignSids(x, found.codebooks));
  const half = join(folder, 'half.npy');
  writeNpy(half, x, { dtype: 'float64' });
  expect(rqKmeansOfFile(half, options).codes).toEqual(found.codes);
});

test('collisions: reassigned as with all vectors at hand; ranks; Sinkhorn is refused', () => {
  const wide = { ...options, levels: 3 };
  const kept = rqKmeansOfFile(file, wide);
  const apart = rqKmeansOfFile(file, { ...wide, collisions: 'reassign' });
  expect(kept.collision.raw).toBeGreaterThan(0);
  expect(apart.codes).toEqual(reassign(x, kept.raw, kept.codebooks));
  expect(apart.collision.final).toBe(0);
  expect(rqKmeansOfFile(file, { ...wide, collisions: 'rank' }).collision.final).toBe(0);
  expect(() => rqKmeansOfFile(file, { ...wide, collisions: 'sinkhorn' })).toThrow('need all vectors, got sinkhorn');
});

test('the stage writes what the method found', async () => {
  const index = join(folder, 'Toys.index.json');
  const report = await sidStage({ embeddings: file, index, method: 'rqkmeans-minibatch', ...options });
  expect(report).toMatchObject({ method: 'rqkmeans-minibatch', items: 3000, codebookSize: [16, 16] });
  expect(readIndex(index)).toEqual(rqKmeansOfFile(file, options).codes.map((path) => sidTokens(path)));
});

test('batches have every row once, from many places', () => {
  const batches = batchesOfRuns(3000, 1024, new Random(1));
  const rows = batches.flatMap((runs) => runs.flatMap(([first, count]) => Array.from({ length: count }, (_, i) => first + i))); // prettier-ignore
  expect(rows.sort((a, b) => a - b)).toEqual([...Array(3000).keys()]);
  expect(batches.map((runs) => runs.length)).toEqual([4, 4, 4]);
  expect(batches[0]!.map(([first]) => first)).not.toEqual([0, 256, 512, 768]);
  const { block } = memoryRows(x);
  expect(rowsOfRuns(block, [[7, 2], [0, 1]], 5).data).toEqual(Float32Array.from([...x.data.slice(35, 45), ...x.data.slice(0, 5)])); // prettier-ignore
});

test('rows of a file', () => {
  withNpyRows(file, 'x', (rows) => {
    expect([rows.rows, rows.width]).toEqual([3000, 5]);
    expect(rows.block(2998, 2).data).toEqual(rowSlice(x, 2998, 3000).data.slice());
  });
  const turned = join(folder, 'fortran.npy');
  writeNpy(turned, x, { fortran: true });
  expect(() => withNpyRows(turned, 'x', () => 1)).toThrow("expected rows one after the other (C order), got Fortran's");
  const bad = join(folder, 'bad.npy');
  copyFileSync(file, bad);
  writeNpy(bad, { ...x, data: x.data.map((value, i) => (i === 7001 ? NaN : value)) });
  expect(() => rqKmeansOfFile(bad, options)).toThrow('bad.npy');
});
