/**
 * The pretrained model's benchmarks: every arm has options that `sft` takes, and what a model out of a GGUF file writes is
 * what transformers writes with the same file (a tiny one, where the peers are installed).
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { beforeAll, describe, expect, test } from 'vitest';
import { ARMS, optionsOf } from '../../bench/pretrained/arms.js';
import { peersPython } from '../../kernels/setup/peers.mjs';
import { generate } from '../../lib/decode/generate.js';
import { useEngine } from '../../lib/engine/engine.js';
import { loadModel } from '../../lib/lm/model.js';
import { loadChatTemplate } from '../../lib/lm/tokenizer/chat-template.js';
import { loadTokenizer } from '../../lib/lm/tokenizer/tokenizer.js';
import { SFT_OPTIONS } from '../../lib/train/sft/sft-options.js';

describe('arms', () => {
  test.each(ARMS.map((arm) => [arm.name, arm] as const))('%s has options that sft takes', (_, arm) => {
    const parsed = SFT_OPTIONS.parse({ data: 'none', ...optionsOf(arm, 20) });
    expect(parsed.precision).toBe('auto'); // of both that are compared
  });

  test('more minutes are more epochs of the same updates, those of the two that are compared in their proportion', () => {
    const [lora, full, random] = ['lora', 'full', 'random'].map((name) => ARMS.find((arm) => arm.name === name)!);
    expect([10, 20].map((minutes) => optionsOf(random!, minutes).epochs)).toEqual([1.67, 3.33]);
    expect(optionsOf(lora!, 21).epochs).toBe(6);
    expect(optionsOf(random!, 10)).toEqual(optionsOf(full!, 10));
  });

  test('what an arm starts from runs before it', () => {
    const names = ARMS.map(({ name }) => name);
    expect(new Set(names).size).toBe(names.length);
    for (const { name, from } of ARMS) {
      if (typeof from === 'object') expect(names.indexOf(from.arm)).toBeLessThan(names.indexOf(name));
    }
    expect(names.slice(0, 2)).toEqual(['full', 'random']);
  });
});

const python = peersPython() ?? 'python3';
const found =
  spawnSync(python, ['-c', 'import torch, transformers, accelerate, gguf'], { stdio: 'ignore' }).status === 0;
const skipped = found ? '' : ' (skipped: no peers with the package gguf; npm run setup -- --peers)';

describe.skipIf(!found)(`a GGUF file and transformers${skipped}`, () => {
  const path = fileURLToPath(new URL('../golden/gguf/llama.gguf', import.meta.url));
  // no digits that merge: transformers passes over the file's rule that they stay apart
  const texts = ['abc def 3', ' ab\nabc', 'fed a', '0'];

  type Continued = Record<'plain' | 'chat', { prompt: number[]; tokens: number[] }[]>;
  let peer: Continued;

  beforeAll(async () => {
    await useEngine();
    const folder = mkdtempSync(join(tmpdir(), 'sidlab-pretrained-'));
    writeFileSync(join(folder, 'job.json'), JSON.stringify({ model: path, prompts: texts, newTokens: 12 }));
    const script = fileURLToPath(new URL('../../bench/peers/pretrained/continue_texts.py', import.meta.url));
    const { stdout, stderr } = spawnSync(python, [script, folder], { encoding: 'utf8' });
    const last = stdout.trim().split('\n').at(-1)!;
    if (!last.startsWith('{')) throw new Error(stderr);
    peer = JSON.parse(last) as Continued;
  });

  test.each(['plain', 'chat'] as const)('the same tokens, %s', async (way) => {
    const theirs = peer[way];
    const [tokenizer, template] = [loadTokenizer(path), loadChatTemplate(path)];
    const prompts = texts.map((text) => tokenizer.encode(way === 'chat' ? template.wrap(text) : text));
    expect(prompts).toEqual(theirs.map(({ prompt }) => prompt));
    const ours = await generate(loadModel(path), prompts, { maxTokens: 12, endTokens: [2] });
    expect(ours.texts.map(({ tokens }) => tokens)).toEqual(theirs.map(({ tokens }) => tokens));
  });
});
