/**
 * Weights in one file, or in several of a size at most with `model.safetensors.index.json`, as transformers'
 * `save_pretrained(max_shard_size)` has them: a tensor is never cut, and one that is larger has a file of its own.
 */
import { readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { writeJson } from '../files/files.js';
import { type LazyArray, writeSafetensors } from '../files/safetensors.js';

const SHARD = /^model-\d{5}-of-\d{5}\.safetensors$/;
const INDEX = 'model.safetensors.index.json';

/**
 * The list of files comes last, so a folder that has it is whole; files of another number that lay there go.
 * @param limit bytes of a file at most
 */
export function writeWeightFiles(
  folder: string,
  arrays: ReadonlyMap<string, LazyArray>,
  dtype: 'F32' | 'BF16',
  limit: number,
): void {
  const shards = shardsOf(arrays, dtype, limit);
  const one = shards.length === 1;
  const nameOf = (i: number): string =>
    one ? 'model.safetensors' : `model-${number(i + 1)}-of-${number(shards.length)}.safetensors`;
  shards.forEach((names, i) => {
    writeSafetensors(join(folder, nameOf(i)), new Map(names.map((name) => [name, arrays.get(name)!])), dtype);
  });
  if (!one) {
    const files = shards.flatMap((names, i) => names.map((name) => [name, nameOf(i)] as const));
    const size = [...arrays.values()].reduce((sum, array) => sum + bytesOf(array, dtype), 0);
    writeJson(join(folder, INDEX), { metadata: { total_size: size }, weight_map: Object.fromEntries(files) });
  }
  const written = new Set([...shards.map((_, i) => nameOf(i)), ...(one ? [] : [INDEX])]);
  const ours = (name: string): boolean => SHARD.test(name) || name === INDEX || name === 'model.safetensors';
  for (const name of readdirSync(folder)) if (ours(name) && !written.has(name)) rmSync(join(folder, name));
}

/** Names of the tensors of each file, in their order. */
function shardsOf(arrays: ReadonlyMap<string, LazyArray>, dtype: 'F32' | 'BF16', limit: number): string[][] {
  const shards: string[][] = [];
  let filled = Infinity;
  for (const [name, array] of arrays) {
    const bytes = bytesOf(array, dtype);
    if (filled + bytes > limit || shards.length === 0) {
      shards.push([]);
      filled = 0;
    }
    shards.at(-1)!.push(name);
    filled += bytes;
  }
  return shards;
}

const number = (i: number): string => String(i).padStart(5, '0');

function bytesOf({ shape }: LazyArray, dtype: 'F32' | 'BF16'): number {
  return shape.reduce((product, n) => product * n, dtype === 'F32' ? 4 : 2);
}
