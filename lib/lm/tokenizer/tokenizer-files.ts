/**
 * A tokenizer's files in a model folder: `tokenizer.json`, and what Python's transformers and a chat template read
 * beside it, which goes from folder to folder with the model.
 */
import { existsSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { writeAtomic, writeJson } from '../../files/files.js';
import { tokenizerText } from './tokenizer-text.js';
import { END_OF_TEXT, parseTokenizer } from './tokenizer.js';

const CONFIG = 'tokenizer_config.json';
const BESIDE = [CONFIG, 'special_tokens_map.json', 'chat_template.jinja'];

/**
 * @param json of `tokenizer.json`
 * @param from folders, or GGUF files, to take the other files from, the first that has one; without any a description is written that
 *   has transformers read `tokenizer.json` as it is (for Qwen2 its AutoTokenizer takes a class of its own all the same,
 *   which does not know words: `PreTrainedTokenizerFast.from_pretrained` reads them)
 */
export function saveTokenizer(folder: string, json: string, from: readonly string[] = []): void {
  writeAtomic(join(folder, 'tokenizer.json'), json);
  for (const name of BESIDE) {
    const source = from.find((model) => tokenizerText(model, name) !== undefined);
    if (source === undefined)
      rmSync(join(folder, name), { force: true }); // another model's
    else if (source !== folder) writeAtomic(join(folder, name), tokenizerText(source, name)!);
  }
  if (existsSync(join(folder, CONFIG))) return;
  const ends = parseTokenizer(json, folder).has(END_OF_TEXT);
  writeJson(join(folder, CONFIG), {
    tokenizer_class: 'PreTrainedTokenizerFast',
    clean_up_tokenization_spaces: false,
    ...(ends && { eos_token: END_OF_TEXT }),
  });
}
