/** The other thread of `read-json-lines.ts`: inflates a file and finds the fields of its lines, a few blocks ahead. */
import { once } from 'node:events';
import { parentPort, workerData } from 'node:worker_threads';
import { readBlocks } from '../../files/text-blocks.js';
import { InputError } from '../../support/errors.js';
import { JsonLinesFinder, packLines } from './json-lines.js';
import type { LinesJob, LinesMessage } from './read-json-lines.js';

/** Blocks that wait to be taken, at most. */
const AHEAD = 8;

const port = parentPort!;
let ahead = 0;
port.on('message', () => ahead--);

async function run({ path, fields, encoding }: LinesJob): Promise<void> {
  const finder = new JsonLinesFinder(fields);
  for await (const block of readBlocks(path, () => finder.lines, encoding)) {
    // Copied, not transferred: handing memory over costs this thread more than the copy of what is packed.
    port.postMessage({ found: packLines(finder.find(block)) } satisfies LinesMessage);
    ahead++;
    while (ahead >= AHEAD) await once(port, 'message');
  }
  port.postMessage({ done: true } satisfies LinesMessage);
}

run(workerData as LinesJob).catch((error: unknown) => {
  const failed = error instanceof Error ? error.message : String(error);
  port.postMessage({ failed, input: error instanceof InputError } satisfies LinesMessage);
});
