/** What a data set's prompts say beside its items: what they are called, and preferences that somebody wrote. */
import { categoryPhrase } from '../data/category.js';
import { readPreferences } from './preferences-file.js';
import type { PromptWords } from './prompts.js';

/** @param preferences file of `readPreferences` @throws InputError for a file that is missing or damaged */
export function promptWords(dataset: { name: string }, preferences?: string): PromptWords {
  return {
    category: categoryPhrase(dataset.name),
    ...(preferences !== undefined && { preferenceOf: readPreferences(preferences) }),
  };
}
