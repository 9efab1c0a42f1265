/** A thread of `read-parts.ts`: scans parts of a file. */
import { parentPort, workerData } from 'node:worker_threads';
import { checkUtf8 } from '../../files/encoding.js';
import { InputError } from '../../support/errors.js';
import { partBlocks } from './file-part.js';
import { PART, type PartMessage, type PartsJob } from './read-parts.js';
import { type ResultColumns, ResultColumnsBuilder } from './result-columns.js';
import { scanResults } from './scan-results.js';

const { path, size, first, threads } = workerData as PartsJob;
const builder = new ResultColumnsBuilder();

function scanPart(part: number): ResultColumns {
  for (const block of partBlocks({ path, from: part * PART, to: Math.min(size, (part + 1) * PART) })) {
    checkUtf8(block, path, () => 0);
    scanResults(block, builder, path, 0);
  }
  return builder.take();
}

function send(message: PartMessage): void {
  const { lengths, values } = message.columns ?? {};
  parentPort!.postMessage(
    message,
    lengths && values ? [lengths.buffer as ArrayBuffer, values.buffer as ArrayBuffer] : [],
  );
}

for (let part = first; part * PART < size; part += threads) {
  try {
    send({ part, columns: scanPart(part) });
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    send({ part }); // one thread reads the file again, and says where it is
    break;
  }
}
