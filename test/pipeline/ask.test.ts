/** What is asked before costly stages, what the answers do, and that nothing is asked without a terminal. */
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { expect, test } from 'vitest';
import { terminalAsk } from '../../lib/cli/terminal-ask.js';
import { type Ask, grpoQuestion, methodQuestion, Questions, yesNo } from '../../lib/pipeline/ask.js';
import type { PipelineConfig } from '../../lib/pipeline/config.js';

const newFolder = (): string => mkdtempSync(join(tmpdir(), 'sidlab-ask-'));
const answering =
  (...answers: string[]): Ask =>
  ({ read }) =>
    Promise.resolve(read(answers.shift()!)!);
const never: Ask = ({ stage }) => Promise.reject(new Error(`asked about ${stage}`));

test.each([
  ['y', true],
  ['No', false],
  ['maybe', undefined],
])('yes or no: %s', (answer, value) => expect(yesNo('sft', '?').read(answer)).toBe(value));

test.each([
  ['2', 'rqkmeans-constrained'],
  ['rqvae', 'rqvae'],
  ['99', undefined],
  ['kmeans', undefined],
])('a method: %s', (answer, value) => expect(methodQuestion('rqkmeans').read(answer)).toBe(value));

test.each([
  ['10000', 10_000],
  ['0', undefined],
  ['n', false],
  ['y', true],
])('GRPO: %s', (answer, value) => expect(grpoQuestion().read(answer)).toBe(value));

test('the method that was chosen is kept for the next time, until --again', async () => {
  const out = newFolder();
  const config: PipelineConfig = { out, dataset: 'x', sid: { levels: 2 } };
  const index = join(out, 'x.index.json');
  const chosen = await new Questions(out, answering('4')).method(config, index, 'rqkmeans');
  expect(chosen.sid).toEqual({ levels: 2, method: 'rqkmeans-plus' });
  expect(new Questions(out).apply(config)).toEqual(chosen);
  expect(new Questions(out, undefined, true).apply(config)).toEqual(config);
  const own: PipelineConfig = { ...config, sid: { method: 'rqvae' } };
  expect(new Questions(out).apply(own)).toEqual(own);
  expect(await new Questions(out, never).method(own, index, 'rqkmeans')).toEqual(own);
  writeFileSync(index, '');
  expect(await new Questions(out, never).method(config, index, 'rqkmeans')).toEqual(config);
});

test('GRPO: not at all, as it is, or of so many prompts, which is kept', async () => {
  const out = newFolder();
  const config: PipelineConfig = { out, dataset: 'x', grpo: { beta: 0.1 } };
  const card = join(out, 'card.json');
  const answered = (answer: string) => new Questions(out, answering(answer)).grpo(config, card);
  expect(await answered('no')).toEqual({ out, dataset: 'x' });
  expect(await answered('yes')).toEqual(config);
  expect(new Questions(out).apply(config)).toEqual(config);
  expect(await answered('500')).toEqual({ ...config, grpo: { beta: 0.1, sampleSize: 500 } });
  expect(new Questions(out).apply(config).grpo).toEqual({ beta: 0.1, sampleSize: 500 });
  const { grpo: _, ...without } = config;
  expect(await new Questions(out, never).grpo(without, card)).toEqual(without);
});

test('a no stops before the stage; what is there is not asked about', async () => {
  const out = newFolder();
  const card = join(out, 'card.json');
  await expect(new Questions(out, answering('n')).mayRun('sft', '?', card)).rejects.toThrow(
    'pipeline: stopped before sft; the same command goes on from there',
  );
  await new Questions(out, answering('y')).mayRun('sft', '?', card);
  await new Questions(out).mayRun('sft', '?', card);
  writeFileSync(card, '{}');
  await new Questions(out, never).mayRun('sft', '?', card);
  await expect(new Questions(out, never, true).mayRun('sft', '?', card)).rejects.toThrow('asked about sft');
});

const terminal = (isTTY: boolean) => {
  const [input, output] = [new PassThrough(), new PassThrough()];
  return { input: Object.assign(input, { isTTY }), output: Object.assign(output, { isTTY }) };
};

test('on a terminal: asked until the answer is understood; empty is the usual one', async () => {
  const { input, output } = terminal(true);
  const ask = terminalAsk({ input, output })!;
  const answer = ask(yesNo('sft', 'now?'));
  input.write('perhaps\n');
  setTimeout(() => input.write('no\n'));
  expect(await answer).toBe(false);
  expect(String(output.read())).toContain('sft: now? [Y/n] not understood\nsft: now? [Y/n] ');
  const usual = ask(methodQuestion('rqkmeans'));
  input.write('\n');
  expect(await usual).toBe('rqkmeans');
  const ended = ask(yesNo('sft', 'now?'));
  input.end();
  await expect(ended).rejects.toThrow('no answer about sft; --yes asks nothing');
});

test('without a terminal nobody is asked', () => expect(terminalAsk(terminal(false))).toBeUndefined());
