/** Texts of a tokenizer's files: those of a model folder, or what a GGUF file says in their place. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { readJson, readText } from '../../files/files.js';
import { isGguf } from '../../files/gguf/gguf-file.js';
import { ggufTokenizerText } from '../gguf/gguf-tokenizer.js';

/**
 * @param model folder, or GGUF file
 * @returns the text of the file of that name; undefined where there is none
 * @throws InputError for a GGUF file whose tokenizer is not read
 */
export function tokenizerText(model: string, name: string): string | undefined {
  const file = fileOf(model, name);
  return file === undefined ? undefined : isGguf(file) ? ggufTokenizerText(file, name) : readText(file);
}

/** As `tokenizerText`, parsed. @throws InputError for a file that is no JSON */
export function tokenizerJson<T>(model: string, name: string): T | undefined {
  const file = fileOf(model, name);
  if (file === undefined) return undefined;
  return isGguf(file) ? (JSON.parse(ggufTokenizerText(file, name) ?? '{}') as T) : readJson<T>(file);
}

/** The file that says it, if it is there. */
function fileOf(model: string, name: string): string | undefined {
  const file = isGguf(model) ? model : join(model, name);
  return existsSync(file) ? file : undefined;
}
