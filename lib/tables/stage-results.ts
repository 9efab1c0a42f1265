/** Which results of a language model's run a table takes: those that `evaluate` writes by default, or a pipeline's. */
import { existsSync } from 'node:fs';
import { basename, join } from 'node:path';
import { type Provenance, resultsFile } from '../evaluate/results-place.js';
import { readJson } from '../files/files.js';

/** @param template the task that the model was trained to rank @returns the file, if there is one */
export function stageResults(folder: string, template = 'sids'): string | undefined {
  const whole = wholeName(template);
  const names = [`${whole}.jsonl`, `${whole}-bfloat16.jsonl`, 'results.jsonl'];
  return names.map((name) => join(folder, name)).find((file) => existsSync(file) && isUsual(file, template));
}

/** By what lies beside it; where nothing does, the name says as much, but for a pipeline's. */
function isUsual(file: string, template: string): boolean {
  const beside = file.replace(/\.jsonl$/, '.json');
  if (!existsSync(beside)) return !file.endsWith('results.jsonl');
  // what it does not say of these three is not the usual
  const { numBeams = 0, normalize = 'legal', split = 'valid', ...kind } = readJson<Partial<Provenance>>(beside);
  const asked = { ...kind, numBeams, normalize, split, template: kind.template ?? template };
  return basename(resultsFile('', { ...asked, precision: 'float32' })) === `${wholeName(template)}.jsonl`;
}

/** The name of an evaluation with the default options says nothing else: whatever is not as usual is said in it. */
const wholeName = (template: string): string => `results-test-${template}-50`;
