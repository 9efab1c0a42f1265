/**
 * A large file of results read by several threads: each scans every so many-th part of the file's bytes, and sends it
 * as columns.
 */
import { closeSync, openSync, readSync, statSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import type { ResultColumns } from './result-columns.js';

/** What a thread is asked for: parts `first`, `first + threads`, ... of the file. */
export interface PartsJob {
  path: string;
  /** Bytes of the file. */
  size: number;
  first: number;
  threads: number;
}

/** What a thread sends: a part's columns, or none where it has what could not be read. */
export interface PartMessage {
  part: number;
  columns?: ResultColumns;
}

/** Bytes of a part. */
export const PART = 4 << 20;
/** Bytes that are worth the start of a thread. */
const WORTH = 8 << 20;
const MOST_THREADS = 8;

/** How many threads a file is worth: 1 for one that is small, packed or not of UTF-8 lines that begin with a bracket. */
export function threadsFor(path: string): number {
  const isFile = import.meta.url.endsWith('.js'); // the sources themselves are none that Node can run
  const threads = Math.min(availableParallelism(), MOST_THREADS, Math.floor(statSync(path).size / WORTH));
  return isFile && threads > 1 && beginsPlainly(path) ? threads : 1;
}

function beginsPlainly(path: string): boolean {
  const file = openSync(path, 'r');
  try {
    const head = Buffer.alloc(2);
    readSync(file, head);
    return head.toString('latin1') === '{"';
  } finally {
    closeSync(file);
  }
}

/** Columns in the order of the file; undefined, and then no more, where a part could not be read. */
export async function* readParts(path: string, threads: number): AsyncGenerator<ResultColumns | undefined> {
  const { size } = statSync(path);
  const arrived = new Map<number, PartMessage>();
  let [failure, wake]: [unknown, () => void] = [undefined, () => undefined];
  const workers = Array.from({ length: threads }, (_, first) => start({ path, size, first, threads }));
  for (const worker of workers) {
    worker.on('message', (message: PartMessage) => {
      arrived.set(message.part, message);
      wake();
    });
    worker.on('error', (error) => {
      failure = error;
      wake();
    });
  }
  try {
    for (let part = 0; part * PART < size; part++) {
      while (!arrived.has(part) && failure === undefined) await new Promise<void>((resolve) => (wake = resolve));
      if (failure !== undefined) throw failure as Error;
      const { columns } = arrived.get(part)!;
      arrived.delete(part);
      yield columns;
      if (!columns) return;
    }
  } finally {
    await Promise.all(workers.map((worker) => worker.terminate()));
  }
}

function start(job: PartsJob): Worker {
  return new Worker(new URL('read-parts-worker.js', import.meta.url), {
    workerData: job,
    execArgv: [], // flags of the main thread, such as --input-type, may not fit a file
  });
}
