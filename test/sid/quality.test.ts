import { existsSync, mkdtempSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as tf from '@tensorflow/tfjs';
import fc from '../fast-check.js';
import { beforeAll, describe, expect, test } from 'vitest';
import { filterStage } from '../../lib/data/filter/filter-stage.js';
import { writeSample } from '../../lib/data/sample/sample.js';
import { embedItems } from '../../lib/embed/embed-items.js';
import { useEngine } from '../../lib/engine/engine.js';
import { rqKmeans } from '../../lib/sid/kmeans/rqkmeans.js';
import { nearestNeighbours } from '../../lib/sid/quality/neighbours.js';
import { qualityGate, type QualityLimits } from '../../lib/sid/quality/quality-gate.js';
import {
  ambiguous,
  ambiguousShare,
  perplexity,
  prefixPurity,
  sharedPrefix,
  sharedPrefixByChance,
  shuffledPurity,
} from '../../lib/sid/quality/quality-measures.js';
import { sidQualityStage } from '../../lib/sid/quality/quality-stage.js';
import { sidQuality } from '../../lib/sid/quality/quality.js';
import { sidStage } from '../../lib/sid/sid-stage.js';
import { Random } from '../../lib/support/random.js';

beforeAll(async () => void (await useEngine()));

describe('single metrics', () => {
  test('the worked examples', () => {
    expect(perplexity([2, 2, 0])).toBeCloseTo(2, 12);
    expect(perplexity([5])).toBe(1);
    expect(prefixPurity([[0, 1], [0, 2], [0, 3]], ['a', 'a', 'b'], 1)).toBeCloseTo(2 / 3, 12); // prettier-ignore
    expect(prefixPurity([[0, 1], [0, 2], [1, 3]], ['a', '', 'b'], 1)).toBe(1); // prettier-ignore
    expect(ambiguous([[1, 2], [1, 3], [1, 2]])).toEqual([true, false, true]); // prettier-ignore
    expect(ambiguousShare([[1, 2], [1, 3], [1, 2]], [0, 1, 1, 2])).toBe(0.5); // prettier-ignore
    expect(ambiguousShare([[1]], [])).toBe(0);
    const codes = [[0, 0], [0, 1], [0, 1], [1, 0]]; // prettier-ignore
    const pairs = [[0, 1], [1, 2], [3, 0]] as const; // prettier-ignore
    expect([1, 2].map((n) => sharedPrefix(codes, pairs, n))).toEqual([2 / 3, 1 / 3]);
    expect([1, 2].map((n) => sharedPrefixByChance(codes, n))).toEqual([6 / 12, 2 / 12]);
  });

  test('perplexity lies between 1 and the codes in use; purity grows with the prefix', () => {
    const items = fc.array(fc.tuple(fc.nat(3), fc.nat(3), fc.constantFrom('a', 'b', 'c')), { minLength: 1 });
    fc.assert(
      fc.property(items, (rows) => {
        const codes = rows.map(([a, b]) => [a, b]);
        const categories = rows.map(([, , category]) => category);
        const counts = [0, 1, 2, 3].map((code) => codes.filter(([a]) => a === code).length);
        expect(perplexity(counts)).toBeGreaterThanOrEqual(1 - 1e-9);
        expect(perplexity(counts)).toBeLessThanOrEqual(counts.filter((count) => count > 0).length + 1e-9);
        expect(prefixPurity(codes, categories, 2)).toBeGreaterThanOrEqual(prefixPurity(codes, categories, 1));
      }),
    );
  });

  test('purity by chance is that of categories that say nothing', () => {
    const random = new Random(2);
    const codes = Array.from({ length: 600 }, () => [random.int(5)]);
    const categories = codes.map(() => 'abc'[random.int(3)]!);
    expect(shuffledPurity(codes, categories, 1)).toBeCloseTo(prefixPurity(codes, categories, 1), 1);
    const telling = codes.map(([code]) => String(code));
    expect(prefixPurity(codes, telling, 1)).toBe(1);
    expect(shuffledPurity(codes, telling, 1)).toBeLessThan(0.35);
  });
});

test('nearest neighbours by cosine, blocks and samples', () => {
  const random = new Random(4);
  const vectors = { rows: 700, width: 5, data: Float32Array.from({ length: 3500 }, () => random.normal()) };
  const cosine = (a: number, b: number): number => {
    const [x, y] = [a, b].map((i) => [...vectors.data.subarray(i * 5, i * 5 + 5)]) as [number[], number[]];
    const dot = (p: number[], q: number[]) => p.reduce((sum, value, j) => sum + value * q[j]!, 0);
    return dot(x, y) / Math.sqrt(dot(x, x) * dot(y, y));
  };
  const pairs = nearestNeighbours(vectors);
  expect(pairs).toHaveLength(700);
  for (const [item, nearest] of pairs.slice(505, 525)) {
    const best = Math.max(...[...Array(700).keys()].filter((i) => i !== item).map((i) => cosine(item, i)));
    expect(cosine(item, nearest)).toBeCloseTo(best, 5);
  }
  expect(nearestNeighbours(vectors, { sample: 30 })).toHaveLength(30);
  expect(nearestNeighbours({ rows: 1, width: 5, data: vectors.data.slice(0, 5) })).toEqual([]);
});

test('what is reported agrees with the method that made the SIDs', () => {
  const random = new Random(9);
  const vectors = { rows: 80, width: 3, data: Float32Array.from({ length: 240 }, () => random.normal()) };
  const before = tf.memory().numTensors;
  const kept = rqKmeans(vectors, { codebookSize: 5, collisions: 'keep' });
  const found = rqKmeans(vectors, { codebookSize: 5 });
  const targets = [...Array(80).keys()];
  const quality = sidQuality({ codes: found.codes, codebooks: found.codebooks, vectors, targets });
  expect(quality.collision).toEqual(found.collision);
  expect(quality.targets!.ambiguous.raw).toBe(quality.ambiguousItems.raw! / 80);
  expect(quality.targets!.ambiguous.final).toBe(0);
  expect(quality.levels.map(({ used }) => used)).toEqual(found.codesUsed);
  expect(quality.levels.at(-1)!.mse).toBeCloseTo(found.mse, 10);
  const own = sidQuality({ codes: kept.codes, codebooks: kept.codebooks, vectors });
  const errors = own.levels.map(({ mse }) => mse!);
  expect(errors[0]! > errors[1]! && errors[1]! > errors[2]!).toBe(true);
  expect(own.prefixes.map(({ purity }) => purity)).toEqual([null, null, null]);
  expect(own.prefixes[0]!.neighbours!).toBeGreaterThan(2 * own.prefixes[0]!.neighboursByChance!);
  expect(tf.memory().numTensors).toBe(before);
});

test('ranks at the end do not count as a level', () => {
  const quality = sidQuality({ codes: [[1, 2, 0], [1, 2, 1], [0, 3]] }); // prettier-ignore
  expect(quality.levels.map(({ codes, used }) => [codes, used])).toEqual([[2, 2], [4, 2]]); // prettier-ignore
  expect(quality.collision).toEqual({ raw: null, final: 0 });
  expect(sidQuality({ codes: [[4]] }).prefixes[0]).toMatchObject({ prefixes: 1, neighboursByChance: null });
});

test('the gate: limits kept, broken, unknown', () => {
  const quality = sidQuality({ codes: [[0, 0], [0, 1], [1, 1], [1, 1]] }); // prettier-ignore
  expect(qualityGate(quality, { collision: 0.25, codesUsed: 1, clusterSize: 3 }).pass).toBe(true);
  expect(qualityGate(quality, { collision: 0.2, codesUsed: 1 })).toEqual({
    pass: false,
    checks: [
      { limit: 'collision', value: 0.25, expected: 'at most 0.2', pass: false },
      { limit: 'codesUsed', value: 1, expected: 'at least 1', pass: true },
    ],
  });
  expect(qualityGate(quality, { mse: 1 }).checks[0]).toMatchObject({ value: null, pass: false });
  expect(() => qualityGate(quality, { luck: 1 } as QualityLimits)).toThrow(
    'sid quality: expected limits rawCollision,',
  );
  expect(() => qualityGate(quality, { mse: 'low' } as unknown as QualityLimits)).toThrow('expected a number');
});

test('files that do not fit together', () => {
  const vectors = { rows: 2, width: 1, data: new Float32Array(2) };
  const fails = (input: Parameters<typeof sidQuality>[0], message: string) =>
    expect(() => sidQuality(input)).toThrow(message);
  fails({ codes: [] }, 'sid quality: expected items, got none');
  fails({ codes: [[0]], vectors }, 'expected 1 vectors, one a item, got 2; are they of the same data?');
  fails({ codes: [[0]], categories: [] }, 'expected 1 categories, got 0');
  fails({ codes: [[0]], targets: [1] }, 'expected targets from 0 to 0, got 1');
  fails({ codes: [[0], [3]], vectors, codebooks: [vectors] }, 'item 1: code 3 is not among');
  fails({ codes: [[0], [1]], vectors, codebooks: [{ rows: 2, width: 2, data: new Float32Array(4) }] }, 'of width 1');
});

test('the stage: report and figures from files, and a limit that fails', async () => {
  const data = mkdtempSync(join(tmpdir(), 'quality-'));
  const { reviews, meta } = writeSample({ out: join(data, 'raw'), size: 'tiny' });
  await filterStage({ reviews, meta, out: data, dataset: 'tiny' });
  await embedItems({ data, dataset: 'tiny' });
  const embeddings = join(data, 'tiny.emb-lsa.npy');
  const { index, collision } = await sidStage({ embeddings, codebookSize: 8 });
  writeFileSync(join(data, 'limits.json'), '{"collision": 0, "purity": 1.1}');
  const out = join(data, 'figures');
  const report = await sidQualityStage({ index, embeddings, data, limits: join(data, 'limits.json'), out });
  expect(report.collision).toEqual(collision);
  expect(report.checks.map(({ pass }) => pass)).toEqual([true, false]);
  expect(report.pass).toBe(false);
  expect(report.prefixes[0]!.purity!).toBeGreaterThan(report.prefixes[0]!.purityByChance!);
  expect(report.targets!.rows).toBeGreaterThan(0);
  const saved = JSON.parse(readFileSync(report.report, 'utf8')) as typeof report;
  expect(saved.levels).toEqual(report.levels);
  expect(report.figures.every((figure) => existsSync(`${figure}.png`) && existsSync(`${figure}.svg`))).toBe(true);
  const bare = await sidQualityStage({ index, out: join(data, 'bare') });
  expect([bare.pass, bare.collision.raw, bare.targets]).toEqual([true, collision.raw, null]);
  await expect(sidQualityStage({ index: `${index}x`, out: join(data, 'none') })).rejects.toThrow('no such file');
  expect(readdirSync(data)).not.toContain('none');
});
