/** One results file for each evaluation of a model, with what it is of beside it. */
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { readInter } from '../../lib/data/inter-file.js';
import { useEngine } from '../../lib/engine/engine.js';
import { evaluateStage } from '../../lib/evaluate/evaluate-stage.js';
import { type Provenance, resultsFile } from '../../lib/evaluate/results-place.js';
import { promptKind, promptTags } from '../../lib/evaluate/prompt-kind.js';
import { trainedWith } from '../../lib/evaluate/trained-with.js';
import { hashFile, readJson } from '../../lib/files/files.js';
import { writePromptCard } from '../../lib/lm/prompt-card.js';
import { TEMPLATES } from '../../lib/tasks/templates.js';

beforeAll(async () => void (await useEngine()));

test('split, task, beams, normalisation and control are in the name', () => {
  const folder = mkdtempSync(join(tmpdir(), 'sidlab-results-'));
  const model = join(folder, 'model');
  mkdirSync(model);
  const kind = { split: 'test', template: 'sids', numBeams: 50, normalize: 'full' } as const;
  expect(resultsFile(model, kind)).toBe(join(model, 'results-test-sids-50.jsonl')); // no run: not into its parent
  writeFileSync(join(folder, 'config.json'), '{"stage": "sft"}');
  const names = [
    kind,
    { ...kind, split: 'valid' as const },
    { ...kind, template: 'seqrec' },
    { ...kind, numBeams: 20 },
    { ...kind, normalize: 'legal' as const },
    { ...kind, shuffleHistories: 3 },
  ].map((of) => resultsFile(model, of));
  expect(new Set(names).size).toBe(6);
  expect(names[0]).toBe(join(folder, 'results-test-sids-50.jsonl'));
  expect(names[5]).toBe(join(folder, 'results-test-sids-50-shuffled-3.jsonl'));
});

describe('prompts that are other than in training', () => {
  const folder = mkdtempSync(join(tmpdir(), 'sidlab-results-'));
  const [data, model] = [join(folder, 'shop'), join(folder, 'model')];
  const file = (name: string, content: unknown): string => {
    writeFileSync(join(folder, name), JSON.stringify(content));
    return join(folder, name);
  };
  const sids = TEMPLATES.sids!;
  const likely = { ...sids, prompts: ['{preference} {history}'] };
  const options = { data, model, numBeams: 2, limit: 1, precision: 'float32' } as const;
  const evaluated = async (more: object): Promise<[string, Provenance]> => {
    const { results } = await evaluateStage({ ...options, ...more });
    return [basename(results), JSON.parse(readFileSync(results.replace('.jsonl', '.json'), 'utf8')) as Provenance];
  };
  beforeAll(() => {
    cpSync('test/cases/shop', data, { recursive: true });
    cpSync('test/cases/m_plain', model, { recursive: true });
    writePromptCard(model, { template: 'sids', templates: { sids }, cutoffLen: 200, chatTemplate: false, sidTokens: 'new', heldOutItems: 0.1 }); // prettier-ignore
  });

  test('what is given as in training, or is not asked, changes no name', async () => {
    const [plain, { inputs, ...before }] = await evaluated({});
    expect(plain).toBe('results-test-sids-2-first-1.jsonl');
    const same = { cutoffLen: 200, chatTemplate: false, sidTokens: 'new', heldOutItems: 0.2 };
    const [name, { inputs: _inputs, ...after }] = await evaluated({
      ...same,
      templates: file('same.json', { sids, other: likely }),
      index: join(data, 'shop.index.json'),
    });
    expect(name).toBe(plain);
    expect({ ...after, finished: '' }).toEqual({ ...before, finished: '' });
    // an index of the same items that is another file
    const index = file('index.json', readJson(join(data, 'shop.index.json')));
    const [other, { otherIndex }] = await evaluated({ index });
    expect([other, otherIndex]).toEqual([`results-test-sids-2-index-${hashFile(index).slice(0, 8)}-first-1.jsonl`, hashFile(index)]); // prettier-ignore
    // the index of the training is the usual one
    writeFileSync(join(folder, 'config.json'), JSON.stringify({ inputs: { index: hashFile(index) } }));
    expect((await evaluated({ index }))[0]).toBe(plain);
    expect((await evaluated({}))[0]).toBe(`results-test-sids-2-index-${inputs.index!.slice(0, 8)}-first-1.jsonl`);
    rmSync(join(folder, 'config.json'));
  });

  test('what is not is in the name, and beside it', async () => {
    const [cut, { cutoffLen }] = await evaluated({ cutoffLen: 20 });
    expect([cut, cutoffLen]).toEqual(['results-test-sids-2-cutoff-20-first-1.jsonl', 20]);
    const templates = file('mine.json', { sids: likely });
    const [mine, { templateHash }] = await evaluated({ templates });
    expect(mine).toBe(`results-test-sids-2-template-${templateHash!.slice(0, 8)}-first-1.jsonl`);
    const [row] = await readInter(join(data, 'shop.test.inter'), 1e9);
    const { user, history, target } = row!;
    const said = file('said.jsonl', { user, user_preference: 'steel', context: { history_items: history, target_item: target } }); // prettier-ignore
    const [asked, { preferences }] = await evaluated({ templates, preferences: said });
    expect(preferences).toBe(hashFile(said));
    expect(asked).toBe(mine.replace('-first', `-preferences-${preferences!.slice(0, 8)}-first`));
    expect((await evaluated({ preferences: said }))[0]).toBe('results-test-sids-2-first-1.jsonl'); // no prompt has one
  });

  test('options that one model cannot try: chat, spelled SIDs, held-out items', () => {
    const run = trainedWith(model);
    const used = { task: 'title2sid', template: TEMPLATES.title2sid!, index: join(data, 'shop.index.json'), ownIndex: join(data, 'shop.index.json') }; // prettier-ignore
    const kind = promptKind({ model, chatTemplate: true, sidTokens: 'subwords', heldOutItems: 0.2 }, run, used);
    expect(kind).toEqual({ chatTemplate: true, sidTokens: 'subwords', heldOutItems: 0.2 });
    expect(promptTags(kind)).toEqual(['chat', 'sids-subwords', 'held-out-0.2']);
    expect(promptTags({ chatTemplate: false })).toEqual(['no-chat']);
    expect(promptKind({ model, heldOutItems: 0.1, cutoffLen: 512 }, run, used)).toEqual({ cutoffLen: 512 });
    expect(promptKind({ model: 'test/cases/m_plain', heldOutItems: 0.05, cutoffLen: 512 }, trainedWith('test/cases/m_plain'), used)).toEqual({}); // prettier-ignore
  });
});

test('provenance: hashes of rows, items, index and model, the metrics and the code', async () => {
  const results = join(mkdtempSync(join(tmpdir(), 'sidlab-results-')), 'mine.jsonl');
  const [data, model] = ['test/cases/shop', 'test/cases/m_plain'];
  const report = await evaluateStage({ data, model, template: 'sids', numBeams: 10, results });
  const provenance = JSON.parse(readFileSync(results.replace('.jsonl', '.json'), 'utf8')) as Provenance;
  expect(provenance).toMatchObject({ split: 'test', template: 'sids', numBeams: 10, rows: report.rows, model });
  expect(provenance.inputs).toMatchObject({
    'shop.test.inter': hashFile(join(data, 'shop.test.inter')),
    index: hashFile(join(data, 'shop.index.json')),
    'model model.safetensors': hashFile(join(model, 'model.safetensors')),
  });
  expect(provenance.metrics.item).toEqual(report.item);
  expect(provenance.code.hash).toMatch(/^[0-9a-f]{64}$/);
});
