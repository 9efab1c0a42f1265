/** What becomes of the options of a run before it begins: what is rolled out, ranked, recorded; what the task is given. */
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { countTrain } from '../../../lib/data/counts.js';
import { loadDataset } from '../../../lib/data/load.js';
import { useEngine } from '../../../lib/engine/engine.js';
import { writeNpy } from '../../../lib/files/npy.js';
import { Random } from '../../../lib/support/random.js';
import { TEMPLATES } from '../../../lib/tasks/templates.js';
import { taskRows } from '../../../lib/tasks/task-rows.js';
import type { GrpoOptions } from '../../../lib/train/grpo/grpo-options.js';
import { beginGrpo, settleGrpo } from '../../../lib/train/grpo/grpo-settings.js';
import type { Reward, RewardContext } from '../../../lib/train/grpo/rewards/reward-context.js';
import { functionStamp } from '../../../lib/train/grpo/rewards/reward-list.js';
import type { LoggedGroup } from '../../../lib/train/grpo/rollout/rollout-log.js';
import { ITEMS, saveModels, SHOP, shopOptions } from './shop.js';

const folder = mkdtempSync(join(tmpdir(), 'sidlab-grpo-settings-'));
const at = (name: string): string => join(folder, name);

beforeAll(async () => {
  await useEngine();
  await saveModels(folder);
  for (const rows of [ITEMS, ITEMS + 1]) {
    const data = Float32Array.from({ length: 2 * rows }, (_, i) => 1 + i);
    writeNpy(at(`${rows}.npy`), { rows, width: 2, data });
  }
});

const options = (more: Partial<GrpoOptions>): GrpoOptions => shopOptions(folder, more);
const settled = (more: Partial<GrpoOptions> = {}) => settleGrpo(options(more));

describe('what is rolled out, and which of it is ranked', () => {
  test.each<[Partial<GrpoOptions>, string[], string | undefined, string]>([
    [{}, ['sids'], 'sids', 'sids'],
    [{ template: 'seqrec' }, ['seqrec'], 'seqrec', 'seqrec'],
    [{ model: 'trained' }, ['mine'], 'mine', 'mine'],
    [{ model: 'trained', template: 'seqrec' }, ['seqrec'], 'seqrec', 'seqrec'],
    [{ tasks: 'seqrec,title2sid' }, ['seqrec', 'title2sid'], 'seqrec', 'seqrec'],
    [{ tasks: 'title2sid,seqrec' }, ['title2sid', 'seqrec'], 'seqrec', 'seqrec'], // rows before items
    [{ tasks: 'title2sid' }, ['title2sid'], 'title2sid', 'title2sid'],
    [{ tasks: 'title2sid,seqrec', template: 'title2sid' }, ['title2sid', 'seqrec'], 'title2sid', 'title2sid'],
    [{ tasks: 'sid2title,seqrec', reward: 'rule,rouge' }, ['sid2title', 'seqrec'], 'seqrec', 'seqrec'],
    [{ tasks: 'sid2title', reward: 'rouge' }, ['sid2title'], undefined, 'sid2title'],
    [{ tasks: 'sid2title', template: 'sid2title', reward: 'rouge' }, ['sid2title'], undefined, 'sid2title'],
  ])('%j', async ({ model = 'plain', ...more }, names, ranked, template) => {
    const { parts, config, settings, card, ...rest } = await settled({ ...more, model: at(model) });
    expect(parts.map(({ name }) => name)).toEqual(names);
    expect(rest.ranked).toBe(ranked);
    expect([config.template, card.template]).toEqual([template, template]);
    expect(settings.bestMetric).toBe(ranked === undefined ? 'reward' : 'NDCG@10');
    const own = model === 'trained' ? ['mine'] : [];
    expect(Object.keys(card.templates!).sort()).toEqual([...new Set([template, ...names, ...own])].sort());
    expect(Object.keys((config.templates ?? {}) as object)).toEqual(own);
    if (more.tasks === undefined) expect(parts[0]).toMatchObject({ mode: 'row', weight: 1, maxExamples: 0 });
  });

  test('a metric that is asked for', async () => {
    expect((await settled({ bestMetric: 'HR@5' })).settings.bestMetric).toBe('HR@5');
  });
});

test.each<[Partial<GrpoOptions>, string]>([
  [{}, 'frozen'],
  [{ beta: 1 }, 'frozen'],
  [{ beta: 1, reference: 'synchronised' }, 'synchronised'],
  [{ beta: 0 }, 'none'],
  [{ beta: 0, reference: 'none' }, 'none'],
])('the reference of %j', async (more, kind) => {
  expect((await settled(more)).settings.referenceKind).toBe(kind);
});

test('the precision that processes have agreed on, or what is asked for', async () => {
  expect((await settled()).settings.precision).toBe('float32');
  const agreed = await settleGrpo(options({}), 'bfloat16');
  expect([agreed.settings.precision, agreed.config.precision]).toEqual(['bfloat16', 'bfloat16']);
});

test('draws are for rollouts that draw: of items at random, or of words', async () => {
  const draws = { temperature: 2, topP: 0.5 };
  for (const more of [{ rollout: 'sample' }, { tasks: 'seqrec,sid2title', reward: 'rule,rouge' }] as const) {
    expect((await settled({ ...draws, ...more })).settings).toMatchObject(draws);
  }
  await expect(settled({ tasks: 'seqrec,title2sid', ...draws })).rejects.toThrow('the best beams are not drawn');
});

describe('what a configuration records', () => {
  const ALWAYS = ['again', 'precision', 'saveDtype'];

  test('of a run with every default: what has always been there', async () => {
    const { config } = await settled();
    const names = Object.keys(config);
    expect(names).toEqual(expect.arrayContaining(['stage', 'data', 'inputs', 'template', 'numGenerations', 'beta', 'reward', 'batchSize', 'epochs', 'learningRate', 'seed'])); // prettier-ignore
    for (const later of ['lossType', 'kl', 'rollout', 'averageDecay', 'scorer', 'embed', 'templates', ...ALWAYS]) expect(names).not.toContain(later); // prettier-ignore
  });

  test('an option that came later where it is not at its default, functions by their source', async () => {
    const scorer = () => [];
    const embed = (texts: readonly string[]) => ({ rows: texts.length, width: 1, data: new Float32Array(texts.length) }); // prettier-ignore
    const mine: Reward = ({ items }) => items.map(() => 0);
    const strange = Object.assign(() => [], { items: ITEMS + 1 });
    await expect(settled({ scorer: strange, reward: 'sasrec' })).rejects.toThrow(
      `grpo: scorer: expected one of ${ITEMS} items, got ${ITEMS + 1}; train it on this catalogue`,
    );
    const { config } = await settled({ lossType: 'dapo', kl: 'k3', scorer, embed, reward: ['sasrec', mine] });
    expect(config).toMatchObject({ lossType: 'dapo', scorer: functionStamp(scorer), embed: functionStamp(embed), reward: ['sasrec', functionStamp(mine)] }); // prettier-ignore
    expect(config).not.toHaveProperty('kl');
  });

  test('vectors are an input of the run that reads them', async () => {
    const embeddings = at(`${ITEMS}.npy`);
    const own: Reward = ({ items }) => items.map(() => 0);
    const [read, mine, not] = [await settled({ reward: 'rule,semantic', embeddings }), await settled({ reward: own, embeddings }), await settled()]; // prettier-ignore
    expect([read.vectors?.rows, read.inputs.embeddings]).toEqual([ITEMS, embeddings]);
    expect([mine.vectors?.rows, mine.inputs.embeddings]).toEqual([ITEMS, embeddings]);
    expect(not.vectors).toBeUndefined();
    expect(not.inputs).not.toHaveProperty('embeddings');
    const other = settled({ reward: 'semantic', embeddings: at(`${ITEMS + 1}.npy`) });
    await expect(other).rejects.toThrow(`expected ${ITEMS} rows, one an item, got ${ITEMS + 1}`);
  });
});

describe('the task of a run', () => {
  /** What a first update gives its rewards, what it logs, and what is validated. */
  async function begun(more: Partial<GrpoOptions>, ...names: string[]) {
    const seen: RewardContext[] = [];
    const spy: Reward = (given) => (seen.push({ ...given }), given.items.map((_, i) => i));
    const logged: LoggedGroup[] = [];
    const { task, dispose } = beginGrpo(
      await settled({ logRollouts: 1, ...more, reward: [...(names as ['rule']), spy] }),
      (groups) => logged.push(...groups),
    );
    const objective = await task.objective(task.batches(0)[0]!, new Random(1), 1);
    for (const part of objective.microBatches) part.dispose();
    const metrics = (objective.metrics as () => Record<string, number>)();
    const valid = await task.validate();
    task.updated(1);
    dispose();
    return { seen, logged, metrics, valid, rows: task.validRows() };
  }

  test('nothing that is not asked for', async () => {
    const { seen, logged, metrics, valid, rows } = await begun({});
    const { train, valid: split } = await loadDataset(SHOP);
    for (const name of ['counts', 'vectors', 'scorer', 'embed']) expect(seen[0]).not.toHaveProperty(name);
    expect(seen.map(({ texts }) => texts?.length)).toEqual([ITEMS, ITEMS]);
    expect(train).toContainEqual(seen[0]!.row);
    expect(logged.map(({ step }) => step)).toEqual([1]);
    expect(metrics).toHaveProperty('seconds reference');
    expect(valid).toHaveProperty(['NDCG@10']);
    expect(rows).toHaveLength(3);
    for (const { user } of rows!) expect(split.map((row) => row.user)).toContain(user);
  });

  test('what rewards read, and no reference where there is no KL', async () => {
    const scorer = (_: unknown, lists: readonly (readonly number[])[]) => lists.map((of) => of.map(() => 1));
    const more = { embeddings: at(`${ITEMS}.npy`), scorer, beta: 0 };
    const { seen, metrics } = await begun(more, 'transition', 'semantic', 'sasrec');
    const { train } = await loadDataset(SHOP);
    expect(seen[0]!.counts).toEqual(countTrain(train));
    expect([seen[0]!.vectors!.rows, seen[0]!.scorer]).toEqual([ITEMS, scorer]);
    expect(metrics).not.toHaveProperty('seconds reference');
  });

  test('a task of rows is validated, whatever is first in the mix', async () => {
    const { rows } = await begun({ tasks: 'title2sid,seqrec' });
    expect(rows!.every(({ user }) => user.startsWith('U'))).toBe(true);
  });

  test.each(['title2sid', 'sid2title'])('%s: items that the start held out are held out still', async (tasks) => {
    const reward = tasks === 'title2sid' ? 'rule' : 'rouge';
    const of = await settled({ model: at('held'), tasks, reward, validRows: 0 });
    const { task, dispose } = beginGrpo(of);
    const targets = (split: 'train' | 'valid') => taskRows(of.dataset, TEMPLATES[tasks]!, split, undefined, 0.3).map(({ target }) => target); // prettier-ignore
    const trained = task.batches(0).flatMap(({ rows }) => rows.map(({ row }) => row.target));
    expect(trained.sort((a, b) => a - b)).toEqual(targets('train'));
    expect(targets('valid')).toHaveLength(7);
    await task.validate();
    if (tasks === 'title2sid') expect(task.validRows()).toHaveLength(7);
    dispose();
  });

  test('of a mix of words alone the reward is validated', async () => {
    const embed = (texts: readonly string[]) => ({ rows: texts.length, width: 1, data: new Float32Array(texts.length).fill(1) }); // prettier-ignore
    const { seen, valid } = await begun({ tasks: 'sid2title', embed }, 'cosine');
    expect(seen[0]!.embed).toBe(embed);
    expect(Object.keys(valid)).toEqual(['reward']);
  });
});
