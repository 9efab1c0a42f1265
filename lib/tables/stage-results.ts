/** Which results of a language model's run a table takes: those that `evaluate` writes by default, or a pipeline's. */
import { existsSync } from 'node:fs';
import { basename, join } from 'node:path';
import { type Provenance, resultsFile } from '../evaluate/results-place.js';
import { readJson } from '../files/files.js';

/**
 * @param template the task that the model was trained to rank @param excludeHistory ranked without the items of the history
 * @returns the file, if there is one
 */
export function stageResults(folder: string, template = 'sids', excludeHistory = false): string | undefined {
  const usual = (precision: 'float32' | 'bfloat16'): string => usualFile(template, excludeHistory, precision);
  const names = [usual('float32'), usual('bfloat16'), 'results.jsonl'];
  const fits = (file: string): boolean => existsSync(file) && isUsual(file, template, excludeHistory);
  return names.map((name) => join(folder, name)).find(fits);
}

/** By what lies beside it; where nothing does, the name says as much, but for a pipeline's. */
function isUsual(file: string, template: string, excludeHistory: boolean): boolean {
  const beside = file.replace(/\.jsonl$/, '.json');
  if (!existsSync(beside)) return !file.endsWith('results.jsonl');
  // what it does not say of these three is not the usual
  const { numBeams = 0, normalize = 'legal', split = 'valid', ...kind } = readJson<Partial<Provenance>>(beside);
  const asked = { ...kind, numBeams, normalize, split, template: kind.template ?? template };
  return basename(resultsFile('', { ...asked, precision: 'float32' })) === usualFile(template, excludeHistory);
}

/** The name of an evaluation with the default options says nothing else: whatever is not as usual is said in it. */
function usualFile(template: string, excludeHistory: boolean, precision: 'float32' | 'bfloat16' = 'float32'): string {
  const usual = { split: 'test', template, numBeams: 50, normalize: 'full' } as const;
  return basename(resultsFile('', { ...usual, excludeHistory, precision }));
}
