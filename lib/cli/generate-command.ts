/** `sidlab generate`: a model writes a task's answers, and how good they are. */
import { join } from 'node:path';
import { findName } from '../data/load.js';
import { answerTable } from '../evaluate/text/answer-table.js';
import { type GenerateReport, generateStage, type GenerateStageOptions } from '../evaluate/text/generate-stage.js';
import { tableText } from '../figures/show-table.js';
import type { Command } from './command.js';
import { record } from './print.js';

export const generateCommand: Command = {
  summary: "a model writes a task's answers without the trie: BLEU, ROUGE and cosine of texts, hits of SIDs",
  flags: [
    ...(['data', 'index', 'model', 'task', 'split', 'limit', 'results', 'templates', 'chat-template'] as const),
    ...(['num-beams', 'temperature', 'top-p', 'max-tokens', 'cutoff-len', 'batch-size'] as const),
    ...(['token-budget', 'encoder', 'seed'] as const),
  ],
  needs: ['data', 'model', 'task'],
  engine: true,
  run: ({ batchSize, ...values }) => {
    const data = values.data as string;
    const index = values.index ?? join(data, `${findName(data)}.index.json`);
    const rows = batchSize === undefined ? {} : { batchRows: batchSize };
    return generateStage({ ...values, ...rows, index } as unknown as GenerateStageOptions);
  },
  print: ({ examples, ...report }: GenerateReport) => `${record(report)}\n\n${tableText(answerTable(examples))}`,
};
