/** Options of GRPO that do not go together, each refused in one line before anything is read or written. */
import { existsSync, mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { GRPO_OPTIONS, type GrpoOptions } from '../../../lib/train/grpo/grpo-options.js';
import { grpo } from '../../../lib/train/grpo/grpo.js';

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
  [{ freeze: 'all-but-embeddings', lora: true }, /^--freeze all-but-embeddings: leaves nothing for --lora to train/],
  [{ lora: { modules: ['lm_head'] }, freeze: 'embeddings' }, /^--lora-modules: with --freeze embeddings/],
])('%j: one line, and nothing is written', async (more, message) => {
  await expect(grpo({ ...options, ...more })).rejects.toThrow(message);
  expect(existsSync(options.run)).toBe(false);
});
