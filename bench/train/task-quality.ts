/**
 * What one small model that is trained with every task at once makes of each of them, on Industrial's held-out rows and
 * items: of tasks that answer with a SID the ranking, of the others BLEU, ROUGE and cosine of what it writes.
 */
import { join } from 'node:path';
import { evaluateStage, generateStage, sft, TEMPLATES } from 'sidlab';
import { answersWithSid } from 'sidlab/tasks';
import { industrialShop } from '../industrial-shop.js';
import type { Row } from '../row.js';

/** Examples of each task an epoch: with all of them an epoch would take half an hour on two cores. */
const EXAMPLES = 800;
const FLOAT32 = { precision: 'float32', peerPrecision: null };
const RECIPE = { model: 'qwen2:128x4', epochs: 4, evalEpochs: 1, cutoffLen: 192, dropout: 0.1, validRows: 100 };
/** Rows and items that are asked about, a task. */
const ASKED = 500;

export async function taskQuality(): Promise<Row[]> {
  const shop = await industrialShop('sft-quality/lsa');
  const names = Object.keys(TEMPLATES);
  const tasks = names.map((name) => `${name}:n=${EXAMPLES}`).join();
  const run = join(shop.data, 'runs/tasks');
  const { model } = await sft({ ...shop, ...RECIPE, tasks, template: 'seqrec', run });
  const rows: Row[] = [];
  for (const name of names) {
    const figures = await (answersWithSid(TEMPLATES[name]!) ? ranked : written)({ ...shop, model }, name, run);
    console.error(JSON.stringify({ name, ...figures }));
    const [[unit, ours], ...others] = Object.entries(figures) as [[string, number], ...[string, number][]];
    const note = others.map(([figure, value]) => `${figure} ${value.toFixed(4)}`).join(', ');
    const plain = { peer: null, floor: null, ratio: null, goal: 'reported', reached: true, spread: 0, ...FLOAT32 };
    rows.push({ name, ours, unit, ...plain, note });
  }
  return rows;
}

interface Trained {
  data: string;
  index: string;
  model: string;
}

async function ranked(trained: Trained, template: string, run: string): Promise<Record<string, number>> {
  const results = join(run, `results-${template}.jsonl`);
  const { item, rows } = await evaluateStage({ ...trained, template, results, numBeams: 10 });
  return { 'HR@10': item['HR@10']!, 'NDCG@10': item['NDCG@10']!, rows };
}

async function written(trained: Trained, task: string): Promise<Record<string, number>> {
  const { text, rows, unended } = await generateStage({ ...trained, task, limit: ASKED, maxTokens: 96 });
  const { 'ROUGE-L': longest, 'ROUGE-1': words, 'ROUGE-2': pairs, 'BLEU-4': bleu, cosine = NaN, exact } = text!;
  return { 'ROUGE-L': longest, 'ROUGE-1': words, 'ROUGE-2': pairs, 'BLEU-4': bleu, cosine, exact, rows, unended };
}
