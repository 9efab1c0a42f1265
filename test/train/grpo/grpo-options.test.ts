/** Options of GRPO that do not go together, each refused in one line before anything is read or written. */
import { existsSync, mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { GRPO_OPTIONS, type GrpoOptions } from '../../../lib/train/grpo/grpo-options.js';
import { grpo, loopOptions } from '../../../lib/train/grpo/grpo.js';
import { OPTIMIZER_OPTIONS } from '../../../lib/train/train-options.js';

const folder = mkdtempSync(join(tmpdir(), 'sidlab-grpo-options-'));
const options = {
  data: join(folder, 'nowhere'),
  index: join(folder, 'nowhere.index.json'),
  run: join(folder, 'run'),
  model: 'test/golden/qwen2-tied',
};

test('a group needs two completions to compare', async () => {
  await expect(grpo({ ...options, numGenerations: 1 })).rejects.toThrow(
    /expected numGenerations to be a whole number of 2 or more, got 1$/,
  );
  await expect(grpo({ ...options, numGenerations: 2 })).rejects.toThrow(/nowhere/); // only the data are missing
  expect(existsSync(options.run)).toBe(false);
});

test('every option of the optimizer reaches the loop', () => {
  const settings = GRPO_OPTIONS.parse({
    ...options,
    shardOptimizer: true,
    gradientDtype: 'bfloat16',
    optimizer: 'muon',
  });
  const loop = loopOptions({ ...settings, bestMetric: 'NDCG@10', referenceKind: 'none', precision: 'float32' });
  for (const name of Object.keys(OPTIMIZER_OPTIONS)) expect(loop).toHaveProperty(name, settings[name as 'keep']);
});

describe('rules', () => {
  const of = (more: Partial<GrpoOptions>) => () => GRPO_OPTIONS.parse({ ...options, ...more });

  test.each<[Partial<GrpoOptions>, string]>([
    [{ lossType: 'gspo', ratioLevel: 'token' }, 'expected --ratio-level sequence with --loss-type gspo, got token'],
    [{ lossType: 'cispo', delta: 9 }, '--delta: cispo has one bound'],
    [{ delta: 1.2 }, 'expected --delta above 1.2 (1 + epsilon-high), got 1.2'],
    [{ delta: 1.28, lossType: 'dapo' }, 'expected --delta above 1.28 (1 + epsilon-high), got 1.28'],
    [{ delta: 1.4, epsilonHigh: 0.5 }, 'expected --delta above 1.5'],
    [{ delta: 0.5 }, 'expected --delta above 1.2 (1 + epsilon-high), got 0.5'],
    [{ lossType: 'cispo', delta: 0.5 }, '--delta: cispo has one bound'],
    [{ rowWeights: 'column:price' }, '--row-weights: expected --row-columns'],
    [{ rowColumns: 'prices.tsv' }, '--row-columns: expected column:NAME or log1p:NAME in --row-weights'],
    [{ reference: 'none' }, 'expected a --reference beside --beta, got none; set --beta 0'],
    [{ beta: 0, reference: 'frozen' }, '--reference frozen: --beta 0 has no use for it'],
    [{ beta: 0, klIn: 'reward' }, '--kl-in reward: expected --beta above 0'],
    [{ reference: 'base' }, 'expected --lora beside --reference base'],
    [{ reference: 'base', lora: false }, 'expected --lora beside --reference base'],
    [{ rollout: 'free', normalize: 'legal' }, '--normalize legal: a free text has no legal continuations'],
    [{ reward: 'format' }, '--reward format: under the trie every completion is an item; take --rollout free'],
    [{ reward: 'rule,format:0.1', rollout: 'sample' }, '--reward format: under the trie'],
    [{ lora: { dropout: 0.05 } }, '--lora-dropout: expected 0'],
    [{ dropout: 0.1, numIterations: 2 }, '--dropout: expected --num-iterations 1 beside it, got 2'],
    [{ advantages: 'policy' }, '--advantages policy: expected --scale-rewards none beside it, got group'],
    [
      { reward: 'token', aggregateRewards: 'normalize_then_sum' },
      '--aggregate-rewards normalize_then_sum: the token reward',
    ],
    [{ warmupSteps: 3, warmupRatio: 0.1 }, '--warmup-ratio: expected it or --warmup-steps'],
    [{ beta: 0, kl: 'k1' }, '--kl k1: --beta 0 has no use for it'],
    [{ syncSteps: 8 }, '--sync-steps, --sync-weight: expected --reference synchronised beside them'],
    [{ reference: 'frozen', syncWeight: 0.5 }, '--sync-steps, --sync-weight: expected --reference synchronised'],
    [{ equalGroups: 'mask', sftWeight: 1e-3 }, '--equal-groups mask: beside --sft-weight their right answers would'],
    [{ reward: 'rule,token', advantages: 'policy', scaleRewards: 'none' }, '--advantages policy: a reward of one number a token'], // prettier-ignore
  ])('%j', (given, message) => {
    expect(of(given)).toThrow(message);
  });

  test.each<Partial<GrpoOptions>>([
    ...[
      { dropout: 0.1, advantages: 'policy', scaleRewards: 'none' },
      { dropout: 0.1, klIn: 'reward' },
    ],
    ...[{ lossType: 'gspo' }, { lossType: 'gspo', ratioLevel: 'sequence' }, { ratioLevel: 'token' }, { delta: 1.21 }],
    ...[{ beta: 0, reference: 'none' }, { beta: 0 }, { reference: 'base', lora: true }, { lora: { rank: 2 } }],
    ...[{ rollout: 'free', reward: 'format' }, { normalize: 'legal' }, { klIn: 'reward' }, { reward: 'token' }],
    ...[{ aggregateRewards: 'normalize_then_sum' }, { reference: 'synchronised' }, { lossType: 'cispo' }],
    ...[{ rowWeights: 'column:price', rowColumns: 'prices.tsv' }, { embeddings: 'items.npy' }],
    ...[{ dropout: 0.3 }, { numIterations: 2 }, { advantages: 'policy', scaleRewards: 'none' }],
    ...[
      { reference: 'synchronised', syncSteps: 8, syncWeight: 1 },
      { kl: 'k1' },
      { equalGroups: 'redraw', sftWeight: 1 },
    ],
  ] as Partial<GrpoOptions>[])('%j is taken', (given) => {
    expect(of(given)).not.toThrow();
  });
});

test.each<[Partial<GrpoOptions>, RegExp]>([
  [{ reward: 'sasrec' }, /^grpo: reward sasrec: expected --scorer-model FOLDER .* scorer, a function .*, got none$/],
  [{ reward: 'semantic' }, /^grpo: reward semantic: expected --embeddings FILE, the item vectors \(\.npy\), got none$/],
  [{ reward: 'cosine', tasks: 'sids2title' }, /^grpo: reward cosine: expected embed, a function/],
  [
    { reward: 'rouge' },
    /^grpo: task sids answers with a SID: expected a reward for such answers beside rouge; add ranking/,
  ],
  [
    { tasks: 'sids,sid2title' },
    /^grpo: task sid2title answers with words: expected a reward .* beside ranking; add rouge/,
  ],
  [{ tasks: 'nonsense' }, /^--tasks: expected any of sids, /],
  [{ tasks: 'sids:chain' }, /^--tasks: sids: a rollout answers one row; leave chain out$/],
  [
    { tasks: 'sids', template: 'seqrec' },
    /^grpo: expected --template to be a task that is rolled out and ranked \(sids\), got seqrec$/,
  ],
  [{ temperature: 2 }, /^grpo: --temperature: the best beams are not drawn; take --rollout sample, or leave it out$/],
  [{ topP: 0.5 }, /^grpo: --top-p: the best beams are not drawn/],
  [
    { tasks: 'sids,sid2title', reward: 'rule,rouge', normalize: 'legal' },
    /^grpo: --normalize legal: task sid2title answers in words, which have no legal continuations; take full$/,
  ],
  [{ tasks: 'sid2title', reward: 'rouge', normalize: 'legal' }, /^grpo: --normalize legal: task sid2title/],
  [{ maskTruncated: true }, /^grpo: --mask-truncated: under the trie every completion comes to its end; leave it out$/],
  [{ reward: 'ranking,rouge' }, /^grpo: reward rouge: it is for none of the tasks \(sids\); leave it out$/],
  [{ tasks: 'title2sid', reward: 'rule,novelty' }, /^grpo: reward novelty: it is for none of the tasks \(title2sid\)/],
  [
    { tasks: 'sids,title2sid', reward: 'transition' },
    /^grpo: task title2sid answers with a SID and has no history: expected a reward .* beside transition; add ranking/,
  ],
  [{ embeddings: 'items.npy' }, /^grpo: embeddings: none of the rewards reads it \(ranking\); leave it out$/],
  [{ scorer: () => [] }, /^grpo: scorer: none of the rewards reads it/],
  [{ embed: () => [] as never }, /^grpo: embed: none of the rewards reads it/],
  [
    { tasks: 'sid2title', reward: 'rouge', template: 'sids' },
    /^grpo: --template sids: no task of --tasks is ranked, all answer in words; leave it out$/,
  ],
  [{ bestMetric: 'NDCG@7' }, /^grpo: expected --best-metric to be one of HR@1, NDCG@1, .*NDCG@10, got NDCG@7$/],
  [
    { tasks: 'sid2title', reward: 'rouge', bestMetric: 'HR@10' },
    /^grpo: expected --best-metric to be one of reward, got/,
  ],
  [{ freeze: 'all-but-embeddings', lora: true }, /^--freeze all-but-embeddings: leaves nothing for --lora to train/],
  [{ lora: { modules: ['lm_head'] }, freeze: 'embeddings' }, /^--lora-modules: with --freeze embeddings/],
])('%j: one line, and nothing is written', async (more, message) => {
  await expect(grpo({ ...options, ...more })).rejects.toThrow(message);
  expect(existsSync(options.run)).toBe(false);
});
