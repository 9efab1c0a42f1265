import { existsSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import { embedItems } from '../../lib/embed/embed-items.js';
import { symmetricEigen } from '../../lib/embed/lsa/symmetric-eigen.js';
import { useEngine } from '../../lib/engine/engine.js';
import { readNpy } from '../../lib/files/npy.js';
import { Random } from '../../lib/support/random.js';

beforeAll(() => useEngine());

function folder(titles: string[]): string {
  const data = mkdtempSync(join(tmpdir(), 'embed-'));
  const items = titles.map((title, id) => [id, { title, description: 'of steel', brand: '', categories: '' }]);
  writeFileSync(join(data, 'Tools.item.json'), JSON.stringify(Object.fromEntries(items)));
  return data;
}

test('a row an item, in the order of the ids', async () => {
  const data = folder(['hex bolt', 'hex nut', 'wing nut', 'hex bolt']);
  const report = await embedItems({ data, width: 2 });
  expect(report).toMatchObject({ encoder: 'lsa', items: 4, width: 2, empty: 0 });
  expect(report.embeddings).toBe(join(data, 'Tools.emb-lsa.npy'));
  const { rows, width, data: numbers } = readNpy(report.embeddings);
  expect([rows, width]).toEqual([4, 2]);
  [0, 1].forEach((j) => expect(numbers[j]).toBeCloseTo(numbers[6 + j]!, 5));
});

test('mistakes are reported before anything is written', async () => {
  const data = folder(['hex bolt', 'hex nut']);
  const wrong = (options: object) => expect(embedItems({ data, ...options })).rejects;
  await wrong({ encoder: 'bert' }).toThrow('expected --encoder lsa, a folder');
  await wrong({ encoder: './no/such/folder' }).toThrow('got ./no/such/folder');
  await wrong({ width: 9 }).toThrow('expected a width from 1 to 1');
  await wrong({ pooling: 'mean' }).toThrow('pooling is an option of encoder FOLDER alone');
  await wrong({ data: join(data, 'none') }).toThrow('no such folder');
  expect(existsSync(join(data, 'Tools.emb-lsa.npy'))).toBe(false);
});

test('eigenvectors of a random symmetric matrix: A v = lambda v, length 1, largest first', () => {
  const n = 40;
  const random = new Random(3);
  const a = new Float64Array(n * n);
  for (let i = 0; i < n; i++) for (let j = 0; j <= i; j++) a[i * n + j] = a[j * n + i] = random.normal();
  const { values, vectors } = symmetricEigen(a, n);
  let worst = 0;
  for (let e = 0; e < n; e++) {
    const v = vectors.subarray(e * n, (e + 1) * n);
    for (let i = 0; i < n; i++) {
      const image = v.reduce((sum, x, j) => sum + a[i * n + j]! * x, 0);
      worst = Math.max(worst, Math.abs(image - values[e]! * v[i]!));
    }
    worst = Math.max(worst, Math.abs(1 - v.reduce((sum, x) => sum + x * x, 0)));
  }
  expect(worst).toBeLessThan(1e-12);
  expect([...values]).toEqual([...values].sort((x, y) => y - x));
  expect([...symmetricEigen(Float64Array.of(2, 0, 0, 5), 2).values]).toEqual([5, 2]);
});
