/**
 * Python's transformers and peft load what is saved here, and what they save is loaded here: the same token ids, the
 * same logits (`test/python/check_models.py`, with the Python of SIDLAB_PEERS).
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as tf from '@tensorflow/tfjs';
import { beforeAll, describe, expect, test } from 'vitest';
import { useEngine } from '../../lib/engine/engine.js';
import { parseShape } from '../../lib/lm/config.js';
import { forwardForest, outputLayer, prepareForest } from '../../lib/lm/decoder.js';
import { chain, packTrees } from '../../lib/lm/forest.js';
import { factorName, type NewRows } from '../../lib/lm/lora/adapted-weights.js';
import { freeze } from '../../lib/lm/lora/freeze.js';
import { type LoraOptions, parseLora } from '../../lib/lm/lora/lora-options.js';
import { addLora, loraMatrices } from '../../lib/lm/lora/lora.js';
import { mergeStage } from '../../lib/lm/lora/merge-stage.js';
import { loadModel, saveModel } from '../../lib/lm/model.js';
import { type LanguageModel } from '../../lib/lm/language-model.js';
import { bpeTokenizer } from '../../lib/lm/tokenizer/bpe-tokenizer.js';
import { extendVocabulary } from '../../lib/lm/tokenizer/extend-vocabulary.js';
import { type TextTokenizer, wordTokenizer } from '../../lib/lm/tokenizer/tokenizer.js';
import { randomWeights } from '../../lib/lm/weights.js';
import { Random } from '../../lib/support/random.js';

const python = process.env.SIDLAB_PEERS ?? 'python3';
const found = spawnSync(python, ['-c', 'import torch, transformers, peft'], { stdio: 'ignore' }).status === 0;
const skipped = found ? '' : ' (skipped: no Python with torch, transformers and peft; set SIDLAB_PEERS)';
const script = 'test/python/check_models.py';
const folder = mkdtempSync(join(tmpdir(), 'sidlab-python-'));
const INDEX = [
  ['<a_2>', '<b_10>'],
  ['<a_2>', '<b_9>'],
];
const TEXT = 'word3 <a_2><b_10> word7\n word30<|endoftext|>';
const TOKENS = [[3, 41, 43, 9], [42]];

beforeAll(async () => void (await useEngine()));

interface Answer {
  folder: string;
  ids: number[];
  auto: number[];
  logits: number[][];
}

describe.skipIf(!found)(`saved here, loaded by transformers and peft${skipped}`, () => {
  const saved = new Map<string, { model: LanguageModel; tokenizer: TextTokenizer }>();
  let answers: Answer[];

  beforeAll(() => {
    for (const name of ['qwen2-tied', 'qwen2-untied', 'qwen3', 'llama']) saveDecoders(name);
    const tokenizer = bpeTokenizer(['word3 word7 word30', 'the quick brown fox'], INDEX, { vocabSize: 300 });
    const config = parseShape('qwen3:32x1', tokenizer.vocabSize, 0);
    save('pieces', { config, weights: randomWeights(config, 3) }, tokenizer);
    const request = { folders: [...saved.keys()].map((name) => join(folder, name)), text: TEXT, tokens: TOKENS };
    const ran = spawnSync(python, [script, 'read'], {
      input: JSON.stringify(request),
      encoding: 'utf8',
      maxBuffer: 1e9,
    });
    expect(ran.status, ran.stderr).toBe(0);
    answers = JSON.parse(ran.stdout) as Answer[];
  });

  function save(name: string, model: LanguageModel, tokenizer: TextTokenizer): void {
    saveModel(join(folder, name), model, { json: tokenizer.json });
    saved.set(name, { model, tokenizer });
  }

  /** The decoder with SID tokens, adapters on it, and the two merged. */
  function saveDecoders(name: string): void {
    const base = `test/golden/${name}`;
    const words = wordTokenizer(
      Array.from({ length: 39 }, (_, i) => `word${i}`),
      [],
    );
    const extended = (): { model: LanguageModel; tokenizer: TextTokenizer; newRows: NewRows } => {
      const { model, tokenizer, added } = extendVocabulary(loadModel(base), words, INDEX);
      return { model, tokenizer, newRows: { first: words.vocabSize, count: added.length } };
    };
    const whole = extended();
    save(name, whole.model, whole.tokenizer);
    const adapted = (kind: string, options: LoraOptions, rows = false): void => {
      const { model, tokenizer, newRows } = extended();
      const start = rows ? freeze(model, 'all-but-new-rows', newRows) : model;
      const tuned = addLora(start, parseLora({ rank: 3, alpha: 6, ...options }, base, true), 1);
      moveAway(tuned, [
        ...loraMatrices(tuned.config.layers, tuned.lora!).map((matrix) => factorName(matrix, 'B')),
        ...(rows ? ['model.embed_tokens.new_rows'] : []),
      ]);
      save(`${name}-${kind}`, tuned, tokenizer);
    };
    adapted('adapters', { modules: [] });
    adapted('modules', { targets: ['q_proj', 'down_proj'], rslora: true });
    adapted('rows', { modules: [], targets: ['gate_proj'] }, true);
    mergeStage({ adapter: join(folder, `${name}-rows`), out: join(folder, `${name}-merged`) });
    saved.set(`${name}-merged`, saved.get(`${name}-rows`)!);
  }

  test('the same token ids, SID tokens included', () => {
    for (const { folder: at, ids, auto } of answers) {
      const { model, tokenizer } = saved.get(at.slice(folder.length + 1))!;
      expect(ids, at).toEqual(tokenizer.encode(TEXT));
      // transformers 5 takes a class of its own for every Qwen2, which has no words
      if (model.config.architecture !== 'qwen2') expect(auto, at).toEqual(ids);
    }
  });

  test('the same logits', () => {
    expect(answers).toHaveLength(4 * 5 + 1);
    for (const { folder: at, logits } of answers) {
      const { model } = saved.get(at.slice(folder.length + 1))!;
      TOKENS.forEach((tokens, i) => expect(apart(logitsOf(model, tokens), logits[i]!), at).toBeLessThan(1e-4));
    }
  });
});

test.skipIf(!found)(`saved by transformers and peft, loaded here: the same logits${skipped}`, () => {
  const ran = spawnSync(python, [script, 'make', folder], { encoding: 'utf8' });
  expect(ran.status, ran.stderr).toBe(0);
  const { tokens, made } = JSON.parse(readFileSync(join(folder, 'made.json'), 'utf8')) as {
    tokens: number[][];
    made: { folder: string; logits: number[][] }[];
  };
  expect(made).toHaveLength(3 * 4);
  for (const { folder: at, logits } of made) {
    const model = loadModel(at);
    tokens.forEach((text, i) => expect(apart(logitsOf(model, text), logits[i]!), at).toBeLessThan(1e-4));
  }
});

/** Adds noise to weights that would else be zero, or the base's. */
function moveAway({ weights }: LanguageModel, names: string[]): void {
  for (const name of names) {
    const weight = weights.get(name)!;
    const random = new Random(name);
    const noise = Float32Array.from({ length: weight.size }, () => 0.2 * random.normal());
    tf.tidy(() => weight.assign(tf.add(weight, tf.tensor(noise, weight.shape))));
  }
}

function logitsOf({ config, weights }: LanguageModel, tokens: number[]): number[] {
  return tf.tidy(() => {
    const hidden = forwardForest(config, weights, prepareForest(config, packTrees([chain(tokens)])));
    return (tf.matMul(hidden, outputLayer(config, weights), false, true).arraySync() as number[][]).flat();
  });
}

function apart(ours: readonly number[], theirs: readonly number[]): number {
  expect(ours.length).toBe(theirs.length);
  return theirs.reduce((largest, x, i) => Math.max(largest, Math.abs(x - ours[i]!)), 0);
}
