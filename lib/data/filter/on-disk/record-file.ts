/**
 * Interactions in a temporary file: sixteen bytes each (time, user, item), written one after the other and read in blocks
 * that follow one another, which is what disks and the page cache do fastest.
 */
import type { Scratch, ScratchFile } from '../../../files/scratch.js';

/** Records of a block: a megabyte. */
const BLOCK = 1 << 16;
/** Bytes of a record. */
const SIZE = 16;

/** Records side by side: of record i the time is `times[2 i]`, the user `words[4 i + 2]`, the item `words[4 i + 3]`. */
export interface RecordBlock {
  /** Records. */
  length: number;
  times: Float64Array;
  words: Int32Array;
}

/** Room for some records. */
export function recordBlock(length: number): RecordBlock {
  const memory = new ArrayBuffer(length * SIZE);
  return { length: 0, times: new Float64Array(memory), words: new Int32Array(memory) };
}

/** Interactions on disk, in the order in which they were pushed. */
export class RecordFile {
  /** Records. */
  length = 0;
  /** The earliest time; infinite where there is none. */
  least = Infinity;
  /** The latest time. */
  most = -Infinity;
  /** Whether no record is earlier than the one before. */
  ascending = true;
  private readonly file: ScratchFile;
  private readonly last = recordBlock(BLOCK);

  constructor(scratch: Scratch) {
    this.file = scratch.open();
  }

  push(time: number, user: number, item: number): void {
    const { last } = this;
    if (last.length === BLOCK) this.flush();
    const at = last.length++;
    last.times[2 * at] = time;
    last.words[4 * at + 2] = user;
    last.words[4 * at + 3] = item;
    this.length++;
    if (time < this.most) this.ascending = false;
    else this.most = time;
    if (time < this.least) this.least = time;
  }

  /** All records, in blocks; a block is good until the next one. */
  *blocks(): Generator<RecordBlock> {
    this.flush();
    const block = recordBlock(BLOCK);
    const bytes = new Uint8Array(block.words.buffer);
    for (let at = 0; at < this.file.size; at += bytes.length) {
      block.length = this.file.read(at, bytes) / SIZE;
      yield block;
    }
  }

  /** All records in memory. */
  all(): RecordBlock {
    this.flush();
    const block = recordBlock(this.length);
    block.length = this.file.read(0, new Uint8Array(block.words.buffer)) / SIZE;
    return block;
  }

  close(): void {
    this.file.close();
  }

  private flush(): void {
    this.file.append(new Uint8Array(this.last.words.buffer, 0, this.last.length * SIZE));
    this.last.length = 0;
  }
}
