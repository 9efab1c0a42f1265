/** Options of fine-tuning that would do nothing: each is refused, and beside what reads it taken. */
import { expect, test } from 'vitest';
import { parseTasks } from '../../../lib/tasks/task-mix.js';
import { TEMPLATES } from '../../../lib/tasks/templates.js';
import { GRPO_OPTIONS } from '../../../lib/train/grpo/grpo-options.js';
import { SFT_OPTIONS, type SftOptions } from '../../../lib/train/sft/sft-options.js';
import { checkTaskOptions } from '../../../lib/train/sft/sft-rules.js';

test.each<[alone: Partial<SftOptions>, beside: Partial<SftOptions>, message: string]>([
  [{ weighting: 'draw' }, { rowWeights: 'balanced' }, '--weighting draw: expected --row-weights'],
  [{ cutLength: 2 }, { cutHistories: 0.5 }, '--cut-length: expected --cut-histories'],
  [{ coldSeen: 1 }, { coldTargets: 1 }, '--cold-seen, --cold-neighbours: expected --cold-targets'],
  [{ coldNeighbours: 4 }, { coldTargets: 1 }, '--cold-seen, --cold-neighbours: expected --cold-targets'],
  [{ sidVocabulary: 'all' }, { sidTokens: 'new' }, '--sid-vocabulary all: --sid-tokens subwords adds no tokens'],
  [{ init: 'title' }, { sidTokens: 'new' }, '--init title: --sid-tokens subwords adds no tokens'],
  [{ muonScale: 'spectral' }, { optimizer: 'muon' }, '--muon-scale spectral: expected --optimizer muon'],
])('%j alone, or beside %j', (alone, beside, message) => {
  const without: Partial<SftOptions> = 'sidTokens' in beside ? { sidTokens: 'subwords' } : {};
  expect(() => SFT_OPTIONS.parse({ data: 'd', ...without, ...alone })).toThrow(message);
  expect(SFT_OPTIONS.parse({ data: 'd', ...beside, ...alone })).toMatchObject(alone);
  expect(SFT_OPTIONS.parse({ data: 'd', ...beside })).toMatchObject(beside);
});

test('of grpo too: a scale of Muon without Muon', () => {
  const given = { data: 'd', model: 'm', muonScale: 'spectral' } as const;
  expect(() => GRPO_OPTIONS.parse(given)).toThrow('--muon-scale spectral: expected --optimizer muon');
  expect(GRPO_OPTIONS.parse({ ...given, optimizer: 'muon' })).toMatchObject(given);
});

test.each([
  ['sids', 'all', undefined, '--loss-on all: a chain is trained at every item'],
  ['sids:row', 'all', undefined, undefined],
  ['sids,title2sid', 'all', undefined, undefined],
  ['sids,title2sid', 'answer', 'file', '--preferences: none of the tasks (sids, title2sid) asks for {preference}'],
  ['preference', 'answer', 'file', undefined],
  ['sids,preference2sid', 'answer', 'file', undefined],
])('tasks %s with loss-on %s and preferences %s', (tasks, lossOn, preferences, message) => {
  const check = () => checkTaskOptions({ lossOn, preferences }, parseTasks(tasks, TEMPLATES, 'chain'));
  if (message === undefined) expect(check).not.toThrow();
  else expect(check).toThrow(message);
});
