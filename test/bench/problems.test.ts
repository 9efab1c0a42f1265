/** What the large benchmarks compute: the products of a step, the items and prompts of the search. */
import { describe, expect, test } from 'vitest';
import { beamProblem } from '../../bench/decode/beam-problem.js';
import { benchShape } from '../../bench/qwen.js';
import { stepProducts } from '../../bench/train/step-floor.js';
import { parseConfig } from '../../lib/lm/config.js';
import { weightShapes } from '../../lib/lm/weights.js';

const { config } = benchShape();

test("a step's products are three for each weight matrix and token, the table's for each label", () => {
  const [tokens, labels] = [1000, 40];
  const products = stepProducts(config, tokens, labels);
  const flops = products.reduce((sum, [rows, width, out, times]) => sum + 6 * rows * width * out * times, 0);
  let expected = 0;
  for (const [name, [out, width]] of weightShapes(parseConfig(config, 'config'))) {
    if (width === undefined) continue; // biases and norms
    expected += 6 * (name.includes('embed') ? labels : tokens) * out! * width;
  }
  expect(flops).toBe(expected);
  expect(flops / 1e12).toBeCloseTo(2.18, 2); // 6 x 1,000 x 358 million, and the table's
});

describe('beams', () => {
  const { prompts, wording, items, end } = beamProblem(config, 8);

  test('3,686 distinct items of 3 codes, a newline and the end', () => {
    expect(new Set(items.map(String)).size).toBe(3686);
    for (const item of items) expect(item).toHaveLength(5);
    expect(items.every((item) => item[3] === 198 && item[4] === end)).toBe(true);
    for (let level = 0; level < 3; level++) {
      const codes = items.map((item) => item[level]!);
      expect(new Set(codes).size).toBe(256);
      expect(Math.max(...codes) - Math.min(...codes)).toBe(255);
      expect(Math.max(...codes)).toBeLessThan(end);
    }
  });

  test('8 prompts of 120 tokens, which share their first 60 and no more; no code among them', () => {
    expect(prompts.map((prompt) => prompt.length)).toEqual(Array(8).fill(120));
    for (const prompt of prompts) expect(prompt.slice(0, wording)).toEqual(prompts[0]!.slice(0, wording));
    expect(wording).toBe(60);
    expect(new Set(prompts.map((prompt) => prompt.slice(wording).join())).size).toBe(8);
    expect(Math.max(...prompts.flat())).toBeLessThan(end - 768);
  });

  test('are the same for any number of users, and every time', () => {
    expect(beamProblem(config, 64).prompts.slice(0, 8)).toEqual(prompts);
    expect(beamProblem(config, 8)).toEqual({ prompts, wording, items, end });
  });
});
