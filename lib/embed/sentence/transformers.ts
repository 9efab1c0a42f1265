/**
 * The one place that loads `@huggingface/transformers` (Transformers.js on onnxruntime), lazily: it and its native
 * library take 0.4 s and 330 MB of disk, it is an optional dependency, and everything but sentence encoders does
 * without it.
 *
 * A model is a folder, or an id of the model hub whose files are kept in `HF_HOME` (default `~/.cache/huggingface`),
 * the small ones that are read here included, so that a second run needs no network; `HF_ENDPOINT` names another hub.
 */
import { existsSync, readFileSync, readdirSync, statSync } from 'node:fs';
import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import { writeAtomic } from '../../files/files.js';
import { InputError } from '../../support/errors.js';
import type { TransformersLibrary } from './transformers-types.js';

/** No literal in `import`: the compiler would look for its types. */
const PACKAGE: string = '@huggingface/transformers';

/** @throws InputError where the package is not installed or its native library does not load */
export async function loadTransformers(): Promise<TransformersLibrary> {
  let library: TransformersLibrary;
  try {
    library = (await import(PACKAGE)) as TransformersLibrary;
  } catch (error) {
    const reason = (error as Error).message.split('\n')[0];
    throw new InputError(
      `embed: @huggingface/transformers does not load (${reason}); npm install @huggingface/transformers@4, or take --encoder lsa`,
    );
  }
  const { env } = library;
  const { HF_HOME = join(homedir(), '.cache', 'huggingface'), HF_ENDPOINT } = process.env;
  env.cacheDir = join(HF_HOME, 'transformers.js');
  if (HF_ENDPOINT !== undefined) env.remoteHost = HF_ENDPOINT.replace(/\/*$/, '/');
  return library;
}

/** `models/bge` that is there -> its absolute path; undefined for an id of the hub */
export function modelFolder(source: string): string | undefined {
  return existsSync(source) && statSync(source).isDirectory() ? resolve(source) : undefined;
}

/** Names and sizes of the files of a model folder with their times: another model, another stamp. An id is its name. */
export function modelStamp(source: string): unknown {
  const folder = modelFolder(source);
  if (folder === undefined) return source;
  return ['.', 'onnx', '1_Pooling'].flatMap((part) =>
    (existsSync(join(folder, part)) ? readdirSync(join(folder, part)).sort() : []).map((file) => {
      const { size, mtimeMs } = statSync(join(folder, part, file));
      return [part, file, size, mtimeMs];
    }),
  );
}

/**
 * A small JSON file of a model: from its folder, or from the hub, whose answer is kept (that there is no such file, too).
 * @returns undefined where the model has none
 * @throws InputError for a file that is no JSON, or a hub that does not answer
 */
export async function readModelJson(
  library: Pick<TransformersLibrary, 'env'>,
  source: string,
  file: string,
): Promise<unknown> {
  const folder = modelFolder(source);
  if (folder !== undefined) return parsed(readHere(join(folder, file)), source, file);
  const kept = join(library.env.cacheDir!, ...hubId(source), file);
  if (existsSync(kept)) return parsed(readHere(kept), source, file);
  if (existsSync(`${kept}${ABSENT}`)) return undefined;
  const text = await download(library, source, file);
  const json = parsed(text, source, file); // what is no JSON is not kept
  keep(text === undefined ? `${kept}${ABSENT}` : kept, text ?? '');
  return json;
}

/** Marks a file that the hub's model does not have. */
const ABSENT = '.absent';

/** The parts of an id as names of folders. @throws InputError for an id that would leave the cache */
function hubId(id: string): string[] {
  const parts = id.split('/');
  if (parts.length <= 2 && parts.every((part) => /^[\w-][\w.-]*$/.test(part))) return parts;
  throw new InputError(`--encoder: expected a folder, or an id of the hub such as owner/name, got ${id}`);
}

function parsed(text: string | undefined, source: string, file: string): unknown {
  if (text === undefined) return undefined;
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new InputError(`${source}/${file}: not valid JSON (${(error as Error).message}); fetch the model again`);
  }
}

/** A cache that cannot be written is no reason to stop: the next run asks the hub again. */
function keep(path: string, text: string): void {
  try {
    writeAtomic(path, text);
  } catch {
    return;
  }
}

function readHere(path: string): string | undefined {
  return existsSync(path) ? readFileSync(path, 'utf8') : undefined;
}

/** @returns undefined where the hub has no such file */
async function download(
  { env }: Pick<TransformersLibrary, 'env'>,
  id: string,
  file: string,
): Promise<string | undefined> {
  const path = env.remotePathTemplate.replaceAll('{model}', id).replaceAll('{revision}', 'main');
  const url = env.remoteHost + path + file;
  let response: Response;
  try {
    response = await fetch(url);
  } catch (error) {
    const cause = (error as Error).cause as Error | undefined;
    throw new InputError(`${url}: ${cause?.message ?? (error as Error).message}; ${MEND}`);
  }
  if (response.status === 404) return undefined;
  if (!response.ok) throw new InputError(`${url}: answered ${response.status}; ${MEND}`);
  return response.text();
}

const MEND = 'give --encoder a folder with the model, or look at the network and the id';
