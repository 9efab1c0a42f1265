/**
 * NumPy's .npz files: a ZIP archive with one .npy a matrix, as `numpy.savez` and `numpy.savez_compressed` write them.
 */
import { existsSync, readFileSync } from 'node:fs';
import { InputError } from '../support/errors.js';
import { writeAtomic } from './files.js';
import { formatNpy, type NpyOptions, parseNpy, type Vectors } from './npy-bytes.js';
import { readZip, writeZip, type ZipMember } from './zip.js';

/**
 * The matrices of an archive by their names.
 * @param names only these; default all, which must all be matrices
 * @throws InputError if the file or a name is missing, the archive is damaged, or an array is no matrix of
 *   floating-point numbers
 */
export function readNpz(path: string, names?: readonly string[]): Record<string, Vectors> {
  if (!existsSync(path)) throw new InputError(`${path}: no such file; check the path`);
  const members = membersOf(path, readFileSync(path));
  return Object.fromEntries((names ?? [...members.keys()]).map((name) => [name, matrixOf(path, members, name)]));
}

/** The one matrix of an archive. */
export function onlyMatrix(path: string, bytes: Uint8Array): Vectors {
  const members = membersOf(path, bytes);
  const names = [...members.keys()];
  if (names.length !== 1) {
    throw new InputError(`${path}: expected one array, got ${names.join(', ') || 'none'}; save the one to use as .npy`);
  }
  return matrixOf(path, members, names[0]!);
}

/** Writes matrices uncompressed, as `numpy.savez` does. @throws InputError for 4 GB and more */
export function writeNpz(path: string, matrices: Record<string, Vectors>, options: NpyOptions = {}): void {
  const members = Object.entries(matrices).map(([name, matrix]) => ({
    name: `${name}.npy`,
    bytes: formatNpy(matrix, options),
  }));
  writeAtomic(path, writeZip(path, members));
}

function membersOf(path: string, bytes: Uint8Array): Map<string, ZipMember> {
  return new Map(readZip(path, bytes).map((member) => [member.name.replace(/\.npy$/, ''), member]));
}

function matrixOf(path: string, members: ReadonlyMap<string, ZipMember>, name: string): Vectors {
  const member = members.get(name);
  if (!member) throw new InputError(`${path}: no array ${name}; it has ${[...members.keys()].join(', ') || 'none'}`);
  return parseNpy(`${path}:${name}`, member.read());
}
