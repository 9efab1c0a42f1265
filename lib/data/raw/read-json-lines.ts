/**
 * A file of JSON lines -> columns. A large file is inflated and searched by a thread of its own, while this one looks up
 * the names of the block before: memory is what that waits for.
 */
import { on } from 'node:events';
import { statSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import { checkFile } from '../../files/check-file.js';
import type { Encoding } from '../../files/encoding.js';
import { readBlocks } from '../../files/text-blocks.js';
import { InputError } from '../../support/errors.js';
import type { InteractionSink } from './interactions.js';
import { type FoundLines, JsonLinesFinder, takeLines } from './json-lines.js';
import { parseReview, type ReviewFields } from './reviews.js';

/** Below so many bytes a second thread is not worth its start. */
const LARGE = 4 << 20;

/** What the other thread sends: lines, or why it stopped. */
export type LinesMessage = { found: FoundLines } | { failed: string; input: boolean } | { done: true };

/** What a thread is asked for. */
export interface LinesJob {
  /** File of JSON lines. */
  path: string;
  /** Names of its fields. */
  fields: ReviewFields;
  /** Default UTF-8 or UTF-16, detected. */
  encoding?: Encoding;
}

/**
 * @param into gets the file's interactions
 * @param threads 1 or 2; default 2 for a large file where there is a processor for it
 * @throws InputError for a missing or damaged file, a broken line, a missing field
 */
export async function readJsonLines(
  path: string,
  fields: ReviewFields,
  into: InteractionSink,
  threads?: number,
  encoding?: Encoding,
): Promise<void> {
  checkFile(path);
  const two = threads === undefined ? statSync(path).size >= LARGE && canRunWorker() : threads > 1;
  const job: LinesJob = { path, fields, ...(encoding !== undefined && { encoding }) };
  const parse = (text: string, line: number) => parseReview(text, `${path}:${line}`, fields);
  for await (const found of two ? foundElsewhere(job) : foundHere(job)) {
    takeLines(found, into, parse);
  }
}

async function* foundHere({ path, fields, encoding }: LinesJob): AsyncGenerator<FoundLines> {
  const finder = new JsonLinesFinder(fields);
  for await (const block of readBlocks(path, () => finder.lines, encoding)) yield finder.find(block);
}

async function* foundElsewhere(job: LinesJob): AsyncGenerator<FoundLines> {
  const worker = new Worker(new URL('json-lines-worker.js', import.meta.url), {
    workerData: job,
    execArgv: [], // flags of the main thread, such as --input-type, may not fit a file
  });
  try {
    for await (const [message] of on(worker, 'message') as AsyncIterable<[LinesMessage]>) {
      if ('done' in message) return;
      if ('failed' in message) throw message.input ? new InputError(message.failed) : new Error(message.failed);
      yield message.found;
      worker.postMessage('next');
    }
  } finally {
    await worker.terminate();
  }
}

/** Two processors, and the worker as a file that Node can run (the sources themselves are none). */
function canRunWorker(): boolean {
  return availableParallelism() > 1 && import.meta.url.endsWith('.js');
}
