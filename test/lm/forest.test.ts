/** Forests of trees, laid end to end, and the frequencies of their positions. */
import { readFileSync } from 'node:fs';
import fc from '../fast-check.js';
import { describe, expect, test } from 'vitest';
import { parseConfig } from '../../lib/lm/config.js';
import { chain, packTrees, prefixTree } from '../../lib/lm/forest.js';
import { rotaryFrequencies } from '../../lib/lm/rotary-frequencies.js';

test('chains and prefix trees, by hand', () => {
  expect(chain([5, 6, 7])).toEqual({ token: [5, 6, 7], parent: [-1, 0, 1] });
  expect(chain([])).toEqual({ token: [], parent: [] });
  const tree = prefixTree([5, 6], [[7], [8, 9, 10], []]);
  expect(tree).toEqual({
    token: [5, 6, 7, 8, 9, 10],
    parent: [-1, 0, 1, 1, 3, 4],
    nodes: [[2], [3, 4, 5], []],
  });
  expect(prefixTree([5], [[6]])).toEqual({ token: [5, 6], parent: [-1, 0], nodes: [[1]] });
  expect(() => prefixTree([], [[1]])).toThrow('prefixTree: expected a prefix of at least one token, got none');
});

test('branches that begin alike are one path as far as they do', () => {
  const tree = prefixTree([5, 6], [[7, 8, 9], [7, 1], [6, 8], [7, 8, 9], [7, 8]]); // prettier-ignore
  expect(tree).toEqual({
    token: [5, 6, 7, 8, 9, 1, 6, 8],
    parent: [-1, 0, 1, 2, 3, 2, 1, 6],
    nodes: [[2, 3, 4], [2, 5], [6, 7], [2, 3, 4], [2, 3]], // prettier-ignore
  });
});

test('every branch of a prefix tree is the path to its last node, and no two children of a node are the same token', () => {
  const words = fc.array(fc.integer({ min: 0, max: 2 }), { maxLength: 5 });
  fc.assert(
    fc.property(
      fc.array(fc.integer({ min: 0, max: 2 }), { minLength: 1, maxLength: 4 }),
      fc.array(words),
      (prefix, branches) => {
        const { token, parent, nodes } = prefixTree(prefix, branches);
        branches.forEach((branch, b) => {
          const path: number[] = [];
          for (let at = nodes[b]!.at(-1) ?? prefix.length - 1; at >= 0; at = parent[at]!) path.unshift(token[at]!);
          expect(path).toEqual([...prefix, ...branch]);
        });
        expect(new Set(token.map((word, i) => `${parent[i]!} ${word}`)).size).toBe(token.length);
        expect(parent.every((of, i) => of < i)).toBe(true);
      },
    ),
  );
});

test('trees end to end: parents and depths are of their own tree', () => {
  expect(packTrees([prefixTree([5, 6], [[7], [8, 9]]), chain([1, 2])])).toEqual({
    token: Int32Array.of(5, 6, 7, 8, 9, 1, 2),
    parent: Int32Array.of(-1, 0, 1, 1, 3, -1, 5),
    depth: Int32Array.of(0, 1, 2, 2, 3, 0, 1),
    starts: [0, 5],
  });
  expect(packTrees([])).toMatchObject({ token: new Int32Array(0), starts: [] });
});

test('two roots in a tree are both at position 0', () => {
  expect(packTrees([{ token: [1, 2, 3], parent: [-1, -1, 1] }])).toMatchObject({
    parent: Int32Array.of(-1, -1, 1),
    depth: Int32Array.of(0, 0, 1),
  });
});

test.each([
  [[0], 0, 0],
  [[-1, 1], 1, 1],
  [[-1, 2, 0], 1, 2],
  [[-2], 0, -2],
])('parents %j: node %i cannot hang on %i', (parent, node, wrong) => {
  const tree = { token: parent.map(() => 0), parent };
  expect(() => packTrees([chain([1]), tree])).toThrow(`expected node ${node}'s parent before it, got ${wrong}`);
});

describe('rotary frequencies', () => {
  const base = parseConfig(JSON.parse(readFileSync('test/golden/qwen3/config.json', 'utf8')), 'config.json');

  test('theta ** (-2 i / d)', () => {
    expect([...rotaryFrequencies({ ...base, headDim: 8, ropeTheta: 16 })]).toEqual([1, 0.5, 0.25, 0.125]);
    expect(rotaryFrequencies({ ...base, headDim: 2 })).toHaveLength(1);
  });

  test('stretched: slow ones are divided, fast ones stay, between them it is linear in the turns', () => {
    const scaling = fc.record({
      factor: fc.constantFrom(2, 8, 32),
      lowFreqFactor: fc.constantFrom(1, 2),
      highFreqFactor: fc.constantFrom(3, 4, 16),
      originalMaxPositions: fc.constantFrom(16, 256, 8192),
    });
    const kinds = new Set<string>();
    fc.assert(
      fc.property(scaling, fc.constantFrom(100, 10_000), (ropeScaling, ropeTheta) => {
        const config = { ...base, headDim: 64, ropeTheta };
        const plain = rotaryFrequencies(config);
        rotaryFrequencies({ ...config, ropeScaling }).forEach((stretched, i) => {
          const { factor, lowFreqFactor: low, highFreqFactor: high, originalMaxPositions: positions } = ropeScaling;
          const turns = positions / ((2 * Math.PI) / plain[i]!); // positions by the length of a turn
          const share = Math.min(1, Math.max(0, (turns - low) / (high - low)));
          kinds.add(share === 0 ? 'slow' : share === 1 ? 'fast' : 'between');
          expect(stretched / plain[i]!).toBeCloseTo(1 / factor + share * (1 - 1 / factor), 5);
        });
      }),
    );
    expect(kinds.size).toBe(3);
  });
});
