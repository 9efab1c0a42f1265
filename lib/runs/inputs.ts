/**
 * What a run is of: SHA-256 of the rows, texts and index that it reads and of every file of the model that it starts
 * from. A run compares them before it takes its lock or resumes, so that changed data never meet an old result.
 */
import { existsSync, readdirSync, statSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import { hashFile, readJson } from '../files/files.js';

/** The files that a run reads. */
export interface RunInputs {
  /** Data folder, and NAME of its files; of a joined folder's data set the hashes of its own files. */
  dataset: { dir: string; name: string; sources?: Readonly<Record<string, string>> };
  /** Index file; none where nothing is read of it. */
  index?: string;
  /** Model folder that it starts from, or a shape: of that there is nothing to hash, the seed makes its weights. */
  model?: string;
  /** File of item vectors, where a reward reads them. */
  embeddings?: string | undefined;
  /** Any other files by what they are called in a run's configuration. */
  files?: Readonly<Record<string, string>>;
  /** File of preferences, where prompts read them. */
  preferences?: string | undefined;
}

/** SHA-256 by file name; of the model's files the name begins with `model`, of an adapter's base with `base`. */
export function hashInputs({
  dataset: { dir, name, sources },
  index,
  model,
  embeddings,
  files: more = {},
  preferences,
}: RunInputs): Record<string, string> {
  const data = ['item.json', 'train.inter', 'valid.inter', 'test.inter'].map((ending) => `${name}.${ending}`);
  const files = sources ? [] : data.map((file) => [file, join(dir, file)] as const).filter(([, path]) => existsSync(path)); // prettier-ignore
  const indexes = index === undefined ? [] : [['index', index] as const];
  const vectors = embeddings === undefined ? [] : [['embeddings', embeddings] as const];
  const texts = preferences === undefined ? [] : [['preferences', preferences] as const];
  const models = model === undefined ? [] : modelFiles(model);
  const read = [...files, ...indexes, ...vectors, ...texts, ...Object.entries(more), ...models];
  return { ...sources, ...Object.fromEntries(read.map(([file, path]) => [file, hashFile(path)])) };
}

/** Whatever decides what a model computes and how it reads: weights of all shards, configuration, tokenizer, prompts. */
const PARTS =
  /^(config|generation_config|tokenizer|tokenizer_config|adapter_config|sidlab)\.json$|^chat_template\.|\.safetensors(\.index\.json)?$/;

/** Names and paths of a model folder's files, an adapter's base among them; of a GGUF file its own. */
export function modelFiles(folder: string, prefix = 'model'): (readonly [string, string])[] {
  if (!existsSync(folder)) return [];
  if (statSync(folder).isFile()) return [[`${prefix} ${basename(folder)}`, folder]]; // GGUF
  const names = readdirSync(folder).filter((name) => PARTS.test(name));
  const own = names.sort().map((name) => [`${prefix} ${name}`, join(folder, name)] as const);
  const adapter = join(folder, 'adapter_config.json');
  if (prefix === 'base' || !existsSync(adapter)) return own;
  const { base_model_name_or_path: base } = readJson<{ base_model_name_or_path?: unknown }>(adapter);
  const places = typeof base === 'string' ? [resolve(base), resolve(folder, base)] : [];
  const found = places.find(
    (place) => existsSync(place) && (statSync(place).isFile() || existsSync(join(place, 'config.json'))),
  );
  return found === undefined ? own : [...own, ...modelFiles(found, 'base')];
}
