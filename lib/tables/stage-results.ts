/** Which results of a language model's run a table takes: those that `evaluate` writes by default, or a pipeline's. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Provenance } from '../evaluate/results-place.js';
import { readJson } from '../files/files.js';

/** @param template the task that the model was trained to rank @returns the file, if there is one */
export function stageResults(folder: string, template = 'sids'): string | undefined {
  const whole = `results-test-${template}-50`;
  const names = [`${whole}.jsonl`, `${whole}-bfloat16.jsonl`, 'results.jsonl'];
  return names.map((name) => join(folder, name)).find((file) => existsSync(file) && isUsual(file, template));
}

/** By what lies beside it; where nothing does, the name says as much, but for a pipeline's. */
function isUsual(file: string, template: string): boolean {
  const beside = file.replace(/\.jsonl$/, '.json');
  if (!existsSync(beside)) return !file.endsWith('results.jsonl');
  const { split, numBeams, normalize, template: asked, ...others } = readJson<Partial<Provenance>>(beside);
  const usual = split === 'test' && numBeams === 50 && normalize === 'full' && (asked ?? template) === template;
  return usual && CHANGES.every((change) => others[change] === undefined);
}

/** What an evaluation says of itself where it is another than the default one. */
const CHANGES = [
  ...(['limit', 'excludeHistory', 'lengthPenalty', 'logitAdjustment', 'sharedSids', 'assistant'] as const),
  ...(['wording', 'shard', 'shuffleHistories', 'part'] as const),
  ...(['cutoffLen', 'chatTemplate', 'sidTokens', 'heldOutItems', 'templateHash'] as const),
];
