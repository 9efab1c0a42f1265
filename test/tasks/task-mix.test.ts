/** Mixes of tasks from their flag, and the plan that is made of one. */
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { planTasks } from '../../lib/tasks/plan-tasks.js';
import { parseTasks } from '../../lib/tasks/task-mix.js';
import { TEMPLATES } from '../../lib/tasks/templates.js';

describe('a mix', () => {
  test('defaults of a part, and what is set', () => {
    const [part] = parseTasks('seqrec', TEMPLATES, 'chain');
    expect(part).toEqual({ name: 'seqrec', template: TEMPLATES.seqrec, mode: 'row', weight: 1, maxExamples: 0 });
    expect(parseTasks('sids', TEMPLATES, 'row')[0]!.mode).toBe('row');
    expect(parseTasks('sids:row,words:n=12:0.25', TEMPLATES, 'chain')).toMatchObject([
      { mode: 'row', weight: 1, maxExamples: 0 },
      { weight: 0.25, maxExamples: 12 },
    ]);
    expect(parseTasks('sids:chain', TEMPLATES, 'row')[0]!.mode).toBe('chain');
    expect(parseTasks('sids:1', TEMPLATES, 'row')[0]!.weight).toBe(1);
  });

  test.each(['0', '0.0', '-1', 'n=0', 'n=', 'n=1.5', '1e3', '', 'chains'])('%j is no setting', (setting) => {
    expect(() => parseTasks(`seqrec:${setting}`, TEMPLATES, 'row')).toThrow(
      `--tasks: seqrec: expected a weight above 0, n=N, chain or row, got "${setting}"`,
    );
  });

  test('one task alone is not named twice', () => {
    expect(() => parseTasks('sids,words', TEMPLATES, 'row')).not.toThrow();
    expect(() => parseTasks('words,sids,words', TEMPLATES, 'row')).toThrow('words is named twice');
  });
});

describe('a plan', () => {
  test('of one template', () => {
    expect(planTasks({})).toEqual({
      parts: [{ name: 'sids', template: TEMPLATES.sids, mode: 'chain', weight: 1, maxExamples: 0 }],
      ...{ templates: TEMPLATES, mode: 'chain', custom: false, ranked: 'sids' },
    });
    expect(planTasks({ mode: 'row' })).toMatchObject({ mode: 'row', parts: [{ mode: 'row' }] });
    expect(planTasks({ template: 'words' })).toMatchObject({ custom: false, ranked: 'words' });
    expect(planTasks({ template: 'seqrec' })).toMatchObject({ custom: true, mode: 'row', ranked: 'seqrec' });
    const texts = planTasks({ template: 'sid2title' });
    expect(texts.parts[0]!.mode).toBe('row');
    expect(texts).not.toHaveProperty('ranked');
  });

  test('of a mix', () => {
    const plan = planTasks({ tasks: 'sids,sid2title' });
    expect(plan).toMatchObject({ mode: 'chain', custom: true, ranked: 'sids' });
    expect(plan.parts.map(({ mode }) => mode)).toEqual(['chain', 'row']);
    expect(planTasks({ tasks: 'sids', mode: 'row' })).toMatchObject({ mode: 'row', parts: [{ mode: 'row' }] });
    expect(planTasks({ tasks: 'sid2title' })).not.toHaveProperty('ranked');
    expect(planTasks({ tasks: 'item2index,title2sid' }).ranked).toBe('item2index');
    expect(planTasks({ tasks: 'item2index,seqrec' }).ranked).toBe('seqrec');
    expect(planTasks({ tasks: 'seqrec,sids', template: 'sids' }).ranked).toBe('sids');
  });

  test('with templates of a file', () => {
    const file = join(mkdtempSync(join(tmpdir(), 'sidlab-plan-')), 'templates.json');
    writeFileSync(
      file,
      JSON.stringify({ own: { of: 'rows', separator: '', answer: '{sid}', prompts: ['{history}'] } }),
    );
    expect(planTasks({ template: 'own', templates: file })).toMatchObject({ custom: true, mode: 'chain' });
  });

  test.each([
    [{ mode: 'batch' as 'row' }, '--mode: expected row or chain, got batch'],
    [{ tasks: 'sid2title', template: 'sids' }, 'ranked (none answers with a SID), got sids'],
    [{ tasks: 'seqrec', template: 'sids' }, 'ranked (seqrec), got sids'],
    [{ tasks: 'seqrec,words', template: 'sids' }, 'ranked (seqrec, words), got sids'],
  ])('%j is refused', (options, message) => {
    expect(() => planTasks(options)).toThrow(message);
  });
});
