/**
 * Interactions on disk in order of time, equal times in the order of the file: a distribution sort. A file that memory
 * holds is sorted there; a larger one is dealt out to files that follow one another in time, each sorted likewise.
 */
import type { Scratch } from '../../../files/scratch.js';
import { orderByTime } from '../order-by-time.js';
import { type RecordBlock, recordBlock, RecordFile } from './record-file.js';

/** Records that are sorted in memory: 64 MB, and as much again for the sort. */
const IN_MEMORY = 1 << 22;
/** Files that are written at once, at most. */
const FILES = 64;
/** Parts of a file's time whose records are counted before it is dealt out. */
const BINS = 1 << 14;
/** Records of a block that is given back. */
const BLOCK = 1 << 16;

/**
 * @param file is closed as soon as it is not needed any more
 * @param inMemory records that are sorted in memory
 */
export function* sortedByTime(file: RecordFile, scratch: Scratch, inMemory = IN_MEMORY): Generator<RecordBlock> {
  if (file.ascending) {
    yield* file.blocks();
    return file.close();
  }
  if (file.length <= inMemory) {
    const all = file.all();
    file.close();
    return yield* sortedBlocks(all);
  }
  for (const part of dealtByTime(file, scratch, inMemory)) yield* sortedByTime(part, scratch, inMemory);
}

function* sortedBlocks({ length, times, words }: RecordBlock): Generator<RecordBlock> {
  const order = orderByTime(Float64Array.from({ length }, (_, i) => times[2 * i]!));
  const block = recordBlock(Math.min(BLOCK, length));
  for (let from = 0; from < length; from += BLOCK) {
    block.length = Math.min(BLOCK, length - from);
    for (let i = 0; i < block.length; i++) {
      const at = order[from + i]!;
      block.times[2 * i] = times[2 * at]!;
      block.words[4 * i + 2] = words[4 * at + 2]!;
      block.words[4 * i + 3] = words[4 * at + 3]!;
    }
    yield block;
  }
}

/** Files that follow one another in time, of about as many records each as their number and memory allow. */
function dealtByTime(file: RecordFile, scratch: Scratch, inMemory: number): RecordFile[] {
  const { least, most, length } = file;
  // Grows with the time, rounding included, so that bins keep the order.
  const binOf = (time: number): number => Math.min(BINS - 1, Math.floor(((time - least) / (most - least)) * BINS));
  const counts = new Int32Array(BINS);
  for (const { length: n, times } of file.blocks()) for (let i = 0; i < n; i++) counts[binOf(times[2 * i]!)]!++;
  const room = Math.max(inMemory, Math.ceil((2 * length) / FILES));
  const fileOf = new Int32Array(BINS);
  let [files, held] = [0, 0];
  for (let bin = 0; bin < BINS; bin++) {
    if (held > 0 && held + counts[bin]! > room) [files, held] = [files + 1, 0];
    held += counts[bin]!;
    fileOf[bin] = files;
  }
  const parts = Array.from({ length: files + 1 }, () => new RecordFile(scratch));
  for (const { length: n, times, words } of file.blocks()) {
    for (let i = 0; i < n; i++) {
      const time = times[2 * i]!;
      parts[fileOf[binOf(time)]!]!.push(time, words[4 * i + 2]!, words[4 * i + 3]!);
    }
  }
  file.close();
  return parts;
}
