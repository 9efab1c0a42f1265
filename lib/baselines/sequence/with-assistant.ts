/** The assistant of a search by the folder of a trained baseline, or by its name: loaded, used, and freed. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Scorer } from '../../evaluate/scorer.js';
import { InputError } from '../../support/errors.js';
import { ARCHITECTURES } from './architectures.js';

/** Folder of the model of a baseline's own run in a data folder. */
export function baselineModel(data: string, name: string): string {
  return join(data, 'runs', `baseline-${name}`, 'model');
}

/** Whether it is the name of a baseline that scores items, such as `sasrec`. */
export function isArchitecture(name: unknown): name is (typeof ARCHITECTURES)[number]['name'] {
  return ARCHITECTURES.some((one) => one.name === name);
}

/**
 * @param given a folder, a name, whose run is looked for in the data folder, or a scorer, which is the caller's
 * @returns what the work returns; a model that was loaded for it is freed then
 * @throws InputError if there is no such model, or one of another number of items comes to be asked
 */
export async function withAssistant<T>(
  given: string | Scorer | undefined,
  data: string,
  work: (assistant: Scorer | undefined) => Promise<T>,
): Promise<T> {
  if (typeof given !== 'string') return work(given);
  const folder = isArchitecture(given) ? baselineModel(data, given) : given;
  if (!existsSync(folder)) {
    const name = isArchitecture(given) ? given : 'sasrec';
    throw new InputError(
      `assistant: expected the model of a trained baseline, got none in ${folder}; sidlab baseline ${name} --data ${data} makes one`,
    );
  }
  const { loadScorer } = await import('./scorer.js');
  const scorer = await loadScorer(folder);
  try {
    return await work(scorer);
  } finally {
    scorer.dispose();
  }
}
