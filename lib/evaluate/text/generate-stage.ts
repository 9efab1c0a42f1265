/**
 * The `generate` stage: a model writes the answers of one task, without the trie -> `generations.jsonl` and the task's
 * metrics (GRec's for its text tasks: BLEU-4, ROUGE-1, 2, L, cosine, and BERTScore where a sentence encoder is given; for
 * tasks that answer with a SID the share that is one, and hits).
 *
 * Prompts are those of evaluation, the first of the task's template, and are truncated as in training; tasks of items ask
 * about items that no training saw. Departure from GRec: BERTScore is of the encoder's last layer (`bert-score.ts`).
 */
import { rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { first } from '../../cluster/alone.js';
import { joinCluster } from '../../cluster/cluster.js';
import { indexOf, loadDataset } from '../../data/load.js';
import { readIndex, type SidIndex } from '../../data/sid-index.js';
import { textEmbedder } from '../../embed/text-embedder.js';
import { choosePrecision } from '../../engine/choose-precision.js';
import { ensureEngine } from '../../engine/engine.js';
import { checkTarget } from '../../files/files.js';
import { loadModel, modelConfig } from '../../lm/model.js';
import { loadChatTemplate } from '../../lm/tokenizer/chat-template.js';
import { loadTokenizer } from '../../lm/tokenizer/tokenizer.js';
import type { PromptSource } from '../../lm/prompt-card.js';
import { disposeWeights } from '../../lm/weights.js';
import { codeVersion } from '../../runs/code-version.js';
import { hashInputs } from '../../runs/inputs.js';
import { InputError, Interrupted } from '../../support/errors.js';
import { interrupted, watchInterrupts } from '../../support/interrupt.js';
import { promptWords } from '../../tasks/prompt-words.js';
import { answersWithSid, findTemplate, readTemplates } from '../../tasks/templates.js';
import { type PromptKind, promptKind, promptTags } from '../prompt-kind.js';
import { writeProvenance } from '../results-place.js';
import { trainedWith } from '../trained-with.js';
import { answerExamples, longestSid } from './answer-examples.js';
import { type AnswerOptions, type AnswerRow, generateAnswers } from './generate-answers.js';
import { writeGenerations } from './generations-file.js';
import { sidAnswers, type SidMetrics } from './sid-answers.js';
import { textMetrics, type TextMetrics } from './text-metrics.js';
import type { SettingsOf } from '../../options/schema.js';
import { GENERATE_OPTIONS, type GenerateStageOptions } from './generate-stage-options.js';

/** What the stage wrote and measured. */
export interface GenerateReport {
  /** Name of the task. */
  task: string;
  /** Where the prompt's settings (its templates, length and chat template) were found. */
  prompt: { template: string; source: PromptSource; file?: string };
  /** Texts written. */
  rows: number;
  /** Of a task that answers with texts. */
  text?: TextMetrics;
  /** Of a task that answers with a SID. */
  sid?: SidMetrics;
  /** Texts that ran out of tokens before they ended. */
  unended: number;
  /** Prompts that were longer than the limit. */
  truncated: number;
  /** Tokens written, ends included. */
  tokens: number;
  /** `tokens` by wall-clock time. */
  tokensPerSecond: number;
  /** The first five rows. */
  examples: AnswerRow[];
  /** The file of all rows. */
  results: string;
}

/** @throws InputError for an unknown task or one without examples, and on interrupt, after writing the texts that ended */
export async function generateStage(options: GenerateStageOptions): Promise<GenerateReport> {
  await ensureEngine();
  const cluster = await joinCluster();
  const settings = GENERATE_OPTIONS.parse(options);
  const run = trainedWith(settings.model);
  const { data, dataset: name, model: folder, task, split, limit, encoder, templates } = settings;
  const { cutoffLen = run.cutoffLen, chatTemplate = run.chatTemplate, heldOutItems = run.heldOutItems } = settings;
  const { preferences } = settings;
  const template = findTemplate(task, templates === undefined ? run.templates : readTemplates(templates));
  const dataset = await loadDataset(data, name);
  const indexFile = settings.index ?? indexOf(dataset);
  const index = readIndex(indexFile, dataset.items.length);
  const prompted = promptKind(settings, run, { task, template, index: indexFile, ownIndex: indexOf(dataset) });
  const hashes = hashInputs({
    dataset,
    index: indexFile,
    model: folder,
    ...(preferences !== undefined && { preferences }),
  });
  const tokenizer = loadTokenizer(folder);
  const wrap = chatTemplate ? loadChatTemplate(folder) : undefined;
  const coded = answersWithSid(template);
  const embedder = coded || encoder === 'none' ? undefined : await textEmbedder(encoder, dataset.items);
  const precision = await first(cluster, () => choosePrecision(settings.precision, modelConfig(folder)).precision);
  const { results = join(dirname(folder), generationsName(settings, prompted, precision)) } = settings;
  await first(cluster, () => checkTarget(results, '--results'));
  cluster?.expectSame({ code: codeVersion().hash, ...hashes, ...settings });
  const model = loadModel(folder, { precision, frozen: true });
  const release = watchInterrupts();
  try {
    const prompts = { ...(cutoffLen !== undefined && { cutoffLen }), ...(wrap && { chat: wrap }) };
    const { examples, truncated } = answerExamples(model, tokenizer, dataset, index, template, {
      ...prompts,
      words: promptWords(dataset, preferences),
      ...(heldOutItems !== undefined && { heldOutItems }),
      split,
      limit,
    });
    if (examples.length === 0)
      throw new InputError(`generate: ${task} has no examples in ${split}; take another split`);
    const { rows, tokens, tokensPerSecond } = await generateAnswers(model, tokenizer, examples, {
      ...generation(settings),
      ...(coded && settings.maxTokens === undefined && { maxTokens: longestSid(tokenizer, examples, template) }),
      stop: interrupted,
      cluster,
    });
    return await first(cluster, async () => {
      const some = `${results}.part`; // what a former call wrote of all examples stays
      if (rows.length < examples.length) {
        writeGenerations(some, rows);
        throw new Interrupted(`generate: interrupted; ${rows.length} of ${examples.length} texts are in ${some}`);
      }
      writeGenerations(results, rows);
      rmSync(some, { force: true });
      const metrics = coded
        ? { sid: sidMetrics(rows, index) }
        : { text: await textMetrics(rows, embedder?.embed, embedder?.tokens) };
      const { model: _folder, results: _file, data: _data, ...kind } = settings;
      writeProvenance(
        results,
        { ...kind, ...prompted, precision },
        { inputs: hashes, model: folder },
        { rows: rows.length, metrics },
      );
      const prompt = { template: task, source: run.source, ...(run.file !== undefined && { file: run.file }) };
      const unended = rows.filter(({ ended }) => !ended).length;
      return {
        ...{ task, prompt, rows: rows.length, ...metrics, unended, truncated, tokens, tokensPerSecond },
        ...{ examples: rows.slice(0, 5), results },
      };
    });
  } finally {
    release();
    disposeWeights(model.weights);
    await embedder?.close();
  }
}

/** A name for each kind of answers: what is as usual is not in it. */
function generationsName(
  settings: SettingsOf<typeof GENERATE_OPTIONS>,
  prompted: PromptKind,
  precision: 'float32' | 'bfloat16',
): string {
  const { task, split, limit, numBeams, temperature, topP, topK, seed, maxTokens } = settings;
  const parts = [
    task,
    ...(split === 'test' ? [] : [split]),
    ...(precision === 'float32' ? [] : [precision]),
    ...(numBeams === 0 ? [] : [`beams-${numBeams}`]),
    ...(temperature === 0 ? [] : [`temperature-${temperature}`, `seed-${seed}`]),
    ...(topP === 1 ? [] : [`top-p-${topP}`]),
    ...(topK === 0 ? [] : [`top-k-${topK}`]),
    ...(maxTokens === undefined ? [] : [`tokens-${maxTokens}`]),
    ...promptTags(prompted),
    ...(limit === 0 ? [] : [`first-${limit}`]),
  ];
  return `generations-${parts.join('-')}.jsonl`;
}

function generation(settings: SettingsOf<typeof GENERATE_OPTIONS>): AnswerOptions {
  const { maxTokens, temperature, topP, topK, seed, batchSize, tokenBudget, numBeams } = settings;
  const all = { temperature, topP, topK, seed, batchRows: batchSize, tokenBudget, numBeams };
  return { ...all, ...(maxTokens !== undefined && { maxTokens }) };
}

function sidMetrics(rows: readonly AnswerRow[], index: SidIndex): SidMetrics {
  return sidAnswers(
    rows.map(({ text, beams }) => beams ?? [text]),
    rows.map(({ item }) => item!),
    index,
  );
}
