/** The prompt that a model was trained with goes where the model goes: saved, copied, merged, loaded again. */
import { cpSync, existsSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { useEngine } from '../../lib/engine/engine.js';
import { evaluateStage } from '../../lib/evaluate/evaluate-stage.js';
import { promptCard, trainedWith } from '../../lib/evaluate/trained-with.js';
import { parseLora } from '../../lib/lm/lora/lora-options.js';
import { addLora } from '../../lib/lm/lora/lora.js';
import { mergeStage } from '../../lib/lm/lora/merge-stage.js';
import { loadModel, saveModel } from '../../lib/lm/model.js';
import { type PromptCard, writePromptCard } from '../../lib/lm/prompt-card.js';
import { InputError } from '../../lib/support/errors.js';
import { TEMPLATES } from '../../lib/tasks/templates.js';

beforeAll(async () => void (await useEngine()));

const OWN = { of: 'rows', separator: ' ', answer: '{sid}', prompts: ['{history}'] } as const;
const CARD: PromptCard = {
  template: 'mine',
  templates: { mine: OWN },
  cutoffLen: 9,
  chatTemplate: false,
  sidTokens: 'new',
};
const fresh = (): string => mkdtempSync(join(tmpdir(), 'sidlab-card-'));
const plain = (card?: PromptCard): string => {
  const folder = join(fresh(), 'model');
  cpSync('test/cases/m_plain', folder, { recursive: true });
  if (card) writePromptCard(folder, card);
  return folder;
};
/** A run's folder as it was before models had cards. */
const oldRun = (config: object): string => {
  const folder = plain();
  writeFileSync(join(folder, '..', 'config.json'), JSON.stringify(config));
  return folder;
};

describe('trainedWith', () => {
  test('the card of the folder', () => {
    const folder = plain(CARD);
    const found = trainedWith(folder);
    expect(found).toMatchObject({
      template: 'mine',
      cutoffLen: 9,
      sidTokens: 'new',
      source: 'model',
      own: { mine: OWN },
    });
    expect(found.file).toBe(join(folder, 'sidlab.json'));
    expect(found.templates).toEqual({ ...TEMPLATES, mine: OWN });
    expect(found.chatTemplate).toBeUndefined();
  });

  test('the run beside it, where the folder has none; the card first, where it has', () => {
    const folder = oldRun({
      stage: 'sft',
      template: 'mine',
      templates: { mine: OWN },
      cutoffLen: 30,
      chatTemplate: true,
    });
    expect(trainedWith(folder)).toMatchObject({ source: 'run', template: 'mine', cutoffLen: 30, chatTemplate: true });
    expect(trainedWith(folder).file).toBe(join(folder, '..', 'config.json'));
    writePromptCard(folder, { template: 'sids' });
    expect(trainedWith(folder)).toEqual({
      templates: TEMPLATES,
      template: 'sids',
      source: 'model',
      file: join(folder, 'sidlab.json'),
    });
  });

  test('neither: the default', () => {
    expect(trainedWith(plain())).toEqual({ templates: TEMPLATES, source: 'default' });
    expect(trainedWith(oldRun({ stage: 'sid', template: 'seqrec' }))).toEqual({
      templates: TEMPLATES,
      source: 'default',
    });
  });

  test("a card writes the kit's own templates out, and they stay when the kit's change", () => {
    const card = promptCard({ template: 'seqrec', templates: TEMPLATES, cutoffLen: 100 }, ['seqrec', 'sid2title']);
    expect(card).toEqual({
      template: 'seqrec',
      templates: { seqrec: TEMPLATES.seqrec, sid2title: TEMPLATES.sid2title },
      cutoffLen: 100,
      chatTemplate: false,
      sidTokens: 'new',
    });
    expect(trainedWith(plain(card)).own).toBeUndefined();
    const older = { ...TEMPLATES.seqrec!, prompts: ['Then: {history}'] };
    const found = trainedWith(plain({ ...card, templates: { seqrec: older } }));
    expect(found.templates.seqrec).toEqual(older);
    expect(found.own).toEqual({ seqrec: older });
  });

  test.each([
    ['{', /sidlab\.json: .*JSON/],
    ['[]', 'expected {"format": 1'],
    ['{"format": 2, "prompt": {}}', 'expected {"format": 1'],
    ['{"format": 1, "prompt": {"cutoffLen": "9"}}', 'cutoffLen cannot be "9"'],
    ['{"format": 1, "prompt": {"templates": {"x": {}}}}', 'sidlab.json: x: '],
    ['null', 'expected {"format": 1'],
  ])('a damaged card is an error of one line: %s', (text, error) => {
    const folder = plain();
    writeFileSync(join(folder, 'sidlab.json'), text);
    expect(() => trainedWith(folder)).toThrow(InputError);
    expect(() => trainedWith(folder)).toThrow(error);
  });
});

describe('a card goes with its model', () => {
  const cardIn = (folder: string): unknown =>
    (JSON.parse(readFileSync(join(folder, 'sidlab.json'), 'utf8')) as { prompt: unknown }).prompt;

  test('saved, or given when it is saved', () => {
    const model = loadModel(plain(CARD));
    const [copied, given] = [fresh(), fresh()];
    saveModel(copied, model);
    expect(cardIn(copied)).toEqual(CARD);
    saveModel(given, model, undefined, { template: 'sids' });
    expect(cardIn(given)).toEqual({ template: 'sids' });
  });

  test('of an old run: what its config.json says', () => {
    const to = fresh();
    saveModel(to, loadModel(oldRun({ stage: 'grpo', template: 'seqrec', cutoffLen: 77, seed: 3 })));
    expect(cardIn(to)).toEqual({ template: 'seqrec', cutoffLen: 77 });
  });

  test('no card is left of the model that was there before', () => {
    const to = plain(CARD);
    saveModel(to, loadModel(plain()));
    expect(existsSync(join(to, 'sidlab.json'))).toBe(false);
    const other = plain(CARD);
    const { config, weights } = loadModel(other);
    saveModel(other, { config, weights }); // made in memory, of no folder
    expect(existsSync(join(other, 'sidlab.json'))).toBe(false);
  });

  test("merged: the adapter's, not the base's", () => {
    const base = plain({ template: 'words' });
    const adapter = join(fresh(), 'adapter');
    const start = loadModel(base);
    saveModel(adapter, addLora(start, parseLora({ rank: 2, modules: [] }, base, false), 1), undefined, CARD);
    const merged = fresh();
    mergeStage({ adapter, out: merged });
    expect(cardIn(merged)).toEqual(CARD);
    expect(trainedWith(adapter).template).toBe('mine');
  });
});

test('evaluate says which prompt it used and where it found it, and a copied model is asked alike', async () => {
  const stage = { data: 'test/cases/shop', index: 'test/cases/shop/shop.index.json', numBeams: 5 };
  const results = join(fresh(), 'results.jsonl');
  const card = { template: 'words', cutoffLen: 60 };
  const run = oldRun({ stage: 'sft', ...card });
  const ofRun = await evaluateStage({ ...stage, model: run, results });
  expect(ofRun.prompt).toEqual({ template: 'words', source: 'run', file: join(run, '..', 'config.json') });
  const copy = plain(card);
  const ofCopy = await evaluateStage({ ...stage, model: copy, results });
  expect(ofCopy.prompt).toEqual({ template: 'words', source: 'model', file: join(copy, 'sidlab.json') });
  expect({ ...ofCopy.item, truncated: ofCopy.truncated }).toEqual({ ...ofRun.item, truncated: ofRun.truncated });
  expect(ofRun.truncated).toBeGreaterThan(0);
  const bare = await evaluateStage({ ...stage, model: plain(), results });
  expect(bare.prompt).toEqual({ template: 'sids', source: 'default' });
  const asked = await evaluateStage({ ...stage, model: copy, results, template: 'sids' });
  expect(asked.prompt).toEqual({ template: 'sids', source: 'option' });
});
