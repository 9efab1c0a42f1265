/** What a data set's prompts say beside its items: what they are called, and preferences that somebody wrote. */
import { categoryPhrase } from '../data/category.js';
import type { Dataset } from '../data/dataset.js';
import { readPreferences } from './preferences-file.js';
import type { PromptWords } from './prompts.js';

/** @param preferences file of `readPreferences` @throws InputError for a file that is missing or damaged */
export function promptWords(dataset: Pick<Dataset, 'name' | 'parts'>, preferences?: string): PromptWords {
  const names = dataset.parts?.map(({ name }) => name) ?? [dataset.name];
  return {
    category: names.map(categoryPhrase).join(', '),
    ...(preferences !== undefined && { preferenceOf: readPreferences(preferences) }),
  };
}
