/** Where a model lies: a folder in Hugging Face's layout, or a GGUF file. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { isGguf } from '../files/gguf/gguf-file.js';

/** Whether something to load lies at a path: a model folder (weights may be missing), or a GGUF file. */
export function holdsModel(path: string): boolean {
  return existsSync(isGguf(path) ? path : join(path, 'config.json'));
}
