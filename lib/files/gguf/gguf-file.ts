/**
 * A GGUF file, llama.cpp's format of a model in one file: metadata, tokenizer and tensors, mostly quantized. Read a tensor
 * at a time, each as float32.
 */
import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { InputError } from '../../support/errors.js';
import { checkFile } from '../check-file.js';
import type { NamedArray } from '../safetensors.js';
import { ByteCursor } from './byte-cursor.js';
import { bytesOf, type GgufHeader, type GgufValue, readGgufHeader, typeName } from './gguf-header.js';
import { GGUF_TYPES } from './gguf-types.js';

/** Whether a path is one of a GGUF file, by its name. */
export function isGguf(path: string): boolean {
  return /\.gguf$/i.test(path);
}

/** A GGUF file that is open for reading. */
export class GgufFile {
  private readonly file: number;
  private readonly header: GgufHeader;

  /** @throws InputError if the file is missing or its header lies; nothing is read of the tensors */
  constructor(readonly path: string) {
    checkFile(path);
    this.file = openSync(path, 'r');
    try {
      const short = (): InputError => this.fail('it ends too early');
      const cursor = new ByteCursor(this.file, fstatSync(this.file).size, short);
      this.header = readGgufHeader(cursor, (what) => this.fail(what));
    } catch (error) {
      closeSync(this.file);
      throw error;
    }
  }

  /** Names of all tensors. */
  get names(): string[] {
    return [...this.header.tensors.keys()];
  }

  /** A value of the metadata, if there is one of the key. */
  value(key: string): GgufValue | undefined {
    return this.header.metadata.get(key);
  }

  /** Sizes of a tensor's dimensions, the last running fastest; undefined if the file has none of the name. */
  shape(name: string): readonly number[] | undefined {
    return this.header.tensors.get(name)?.shape;
  }

  /** A tensor as float32. @throws InputError if the file has none of the name, or its format is not read */
  read(name: string): NamedArray {
    const tensor = this.header.tensors.get(name);
    if (!tensor) throw this.fail(`no tensor ${name}`);
    const bytes = bytesOf(tensor);
    if (bytes === undefined) {
      const known = [...GGUF_TYPES.values()].map((type) => type.name).join(', ');
      throw new InputError(`${this.path}: ${name} is ${typeName(tensor)}, expected ${known}; take a file of these`);
    }
    const raw = new Uint8Array(bytes);
    for (let at = 0; at < bytes;) {
      const got = readSync(this.file, raw, at, bytes - at, tensor.offset + at);
      if (got === 0) throw this.fail('it became shorter while it was read');
      at += got;
    }
    return { shape: tensor.shape, data: GGUF_TYPES.get(tensor.type)!.unpack(raw) };
  }

  /** Closes the file. */
  close(): void {
    closeSync(this.file);
  }

  private fail(what: string): InputError {
    return new InputError(`${this.path}: ${what}; the file is no GGUF file or damaged, fetch it anew`);
  }
}

/** Opens a file, and closes it again whatever happens. @throws InputError as `GgufFile` */
export function withGguf<T>(path: string, work: (file: GgufFile) => T): T {
  const file = new GgufFile(path);
  try {
    return work(file);
  } finally {
    file.close();
  }
}
