/** The models of a run: what of the policy is trained, from a whole model and from an adapter; what the KL is to. */
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { readIndex, type SidIndex } from '../../../lib/data/sid-index.js';
import { useEngine } from '../../../lib/engine/engine.js';
import { type LanguageModel, trainableWeights } from '../../../lib/lm/language-model.js';
import { saveModel } from '../../../lib/lm/model.js';
import { loadTokenizer, type TextTokenizer } from '../../../lib/lm/tokenizer/tokenizer.js';
import { disposeWeights } from '../../../lib/lm/weights.js';
import { checkPolicy, policyModel, type PolicyOptions, referenceModel } from '../../../lib/train/grpo/grpo-models.js';
import { ITEMS, saveModels, SHOP } from './shop.js';

const folder = mkdtempSync(join(tmpdir(), 'sidlab-grpo-models-'));
const [plain, adapter] = [join(folder, 'plain'), join(folder, 'adapter')];
let tokenizer: TextTokenizer;
let index: SidIndex;

const policyOf = (start: string, more: Partial<PolicyOptions> = {}): LanguageModel => policyModel(start, tokenizer, index, { precision: 'float32', freeze: 'none', seed: 1, ...more }); // prettier-ignore
const trained = (model: LanguageModel): string[] => [...trainableWeights(model).keys()].sort();
const TABLE = 'model.embed_tokens.weight';

beforeAll(async () => {
  await useEngine();
  await saveModels(folder);
  tokenizer = loadTokenizer(plain);
  index = readIndex(join(SHOP, 'shop.index.json'), ITEMS);
  const model = policyOf(plain, { lora: { rank: 2, modules: ['embed_tokens'] } });
  saveModel(adapter, model, { json: tokenizer.json });
});

describe('what is trained', () => {
  test('of a whole model all of it, or what is not frozen', () => {
    const whole = policyOf(plain);
    expect([whole.trainable, whole.lora]).toEqual([undefined, undefined]);
    const frozen = policyOf(plain, { freeze: 'embeddings' });
    expect(trained(frozen)).toEqual(trained(whole).filter((name) => name !== TABLE));
    const rows = policyOf(plain, { freeze: 'all-but-new-rows' });
    expect(trained(rows)).toEqual([`${TABLE.replace(/\.weight$/, '')}.new_rows`]);
    expect(rows.weights.get(trained(rows)[0]!)!.shape[0]).toBe(new Set(index.flat()).size); // of the SIDs that it has
  });

  test.each([true, {}, { rank: 4 }] as const)('adapters %j: their factors and both tables, nothing dropped', (lora) => {
    const { lora: own, ...model } = policyOf(plain, { lora });
    expect(own).toMatchObject({ dropout: 0, rank: lora === true ? 32 : (('rank' in lora && lora.rank) || 32), newTokens: false }); // prettier-ignore
    const names = trained(model);
    expect(names).toContain(TABLE);
    expect(names.filter((name) => /\.lora_[AB]\.weight$/.test(name))).toHaveLength(names.length - 1);
  });

  test('of an adapter the same ones further, or with its base one whole model', () => {
    const further = policyOf(adapter, { lora: true, precision: 'bfloat16' });
    expect(further.config.precision).toBe('bfloat16');
    expect(further.lora!.rank).toBe(2);
    expect(trained(further)).toEqual(trained(policyOf(plain, { lora: { rank: 2, modules: ['embed_tokens'] } })));
    expect(policyOf(adapter).trainable).toBeUndefined();
    expect(policyOf(adapter).lora).toBeUndefined();
  });
});

describe('what goes together', () => {
  const check = (start: string, lora: PolicyOptions['lora'], freeze: PolicyOptions['freeze'] = 'none') => () => checkPolicy(start, { ...(lora !== undefined && { lora }), freeze }); // prettier-ignore

  test.each<[string, PolicyOptions['lora'], PolicyOptions['freeze']?]>([
    ...[[plain, undefined], [plain, false, 'embeddings'], [plain, true], [plain, { rank: 2 }]], // prettier-ignore
    ...[[adapter, undefined], [adapter, false, 'embeddings'], [adapter, true], [adapter, {}]], // prettier-ignore
  ] as [string, PolicyOptions['lora'], PolicyOptions['freeze']?][])('%s, LoRA %j, frozen %s', (...of) => {
    expect(check(...of)).not.toThrow();
  });

  test('not an adapter with other options than its own', () => {
    expect(check(adapter, { rank: 2 })).toThrow(/^grpo: --lora-rank: the adapter .* has its own; give --lora alone/);
    expect(check(adapter, true, 'embeddings')).toThrow(/^grpo: expected --freeze none with the adapter .*, got embeddings$/); // prettier-ignore
    expect(check(plain, true, 'all-but-embeddings')).toThrow('leaves nothing for --lora to train');
  });
});

describe('what the KL is to', () => {
  const options = { precision: 'float32', syncSteps: 2, syncWeight: 0.5 } as const;

  test('nothing, a copy, the file itself, one that follows, the base', () => {
    const [whole, part] = [policyOf(plain), policyOf(plain, { lora: true })];
    const of = (kind: Parameters<typeof referenceModel>[0], policy: LanguageModel) => referenceModel(kind, policy, plain, options); // prettier-ignore
    expect(of('none', whole)).toBeUndefined();
    const norm = 'model.norm.weight';
    expect(of('frozen', whole)!.model.weights.get(norm)).not.toBe(whole.weights.get(norm));
    expect(of('frozen', part)!.model.weights.get(norm)).toBe(part.weights.get(norm)); // what is not trained is shared
    expect(of('synchronised', whole)!.updated).toBeTypeOf('function');
    expect(of('base', part)!.model.weights.get(norm)).toBe(part.weights.get(norm));
    disposeWeights(whole.weights);
  });
});
