/**
 * NumPy's .npz files: a ZIP archive with one .npy a matrix, as `numpy.savez` and `numpy.savez_compressed` write them.
 */
import { InputError } from '../support/errors.js';
import { writeWith } from './files.js';
import { npyPieces, type NpyOptions, readNpyBytes, type Vectors } from './npy-bytes.js';
import { type ByteSource, withFileSource, writePieces } from './npy-source.js';
import { readZip, zipPieces, type ZipMember } from './zip.js';

/**
 * The matrices of an archive by their names.
 * @param names only these; default all, which must all be matrices
 * @throws InputError if the file or a name is missing, the archive is damaged, or an array is no matrix of
 *   floating-point numbers
 */
export function readNpz(path: string, names?: readonly string[]): Record<string, Vectors> {
  return withFileSource(path, 'check the path', (source) => {
    const members = membersOf(path, source);
    return Object.fromEntries((names ?? [...members.keys()]).map((name) => [name, matrixOf(path, members, name)]));
  });
}

/** The one matrix of an archive. @throws InputError as `readNpz`, and for none or more than one */
export function onlyMatrix(path: string, source: ByteSource): Vectors {
  const members = membersOf(path, source);
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
    pieces: () => npyPieces(matrix, options),
  }));
  writeWith(path, (temporary) => writePieces(temporary, zipPieces(path, members)));
}

function membersOf(path: string, source: ByteSource): Map<string, ZipMember> {
  return new Map(readZip(path, source).map((member) => [member.name.replace(/\.npy$/, ''), member]));
}

function matrixOf(path: string, members: ReadonlyMap<string, ZipMember>, name: string): Vectors {
  const member = members.get(name);
  if (!member) throw new InputError(`${path}: no array ${name}; it has ${[...members.keys()].join(', ') || 'none'}`);
  return readNpyBytes(`${path}:${name}`, member.open());
}
