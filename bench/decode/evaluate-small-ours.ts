/**
 * One evaluation by the kit of any commit, in a process of its own. Usage: node evaluate-small-ours.js KIT JOB, where KIT is
 * the folder whose `dist/` is used and JOB the options of its `evaluateStage`, as JSON. Prints users a second and the
 * ranking metrics.
 */
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { type AskedPrecision, inPrecision } from '../our-precision.js';
import type { Evaluated } from './evaluate-small.js';

interface Kit {
  useEngine(): Promise<string>;
  evaluateStage(options: object): Promise<{ usersPerSecond: number; rows: number; item: Record<string, number> }>;
}

const [folder, job, asked] = process.argv.slice(2) as [string, string, AskedPrecision];
const kit = (await import(pathToFileURL(join(folder, 'dist/index.js')).href)) as Kit;
await kit.useEngine();
const evaluated = await inPrecision(asked, async (precision): Promise<Evaluated> => {
  const { usersPerSecond, rows, item } = await kit.evaluateStage(JSON.parse(job) as object);
  return { precision, seconds: rows / usersPerSecond, rows, hr: item['HR@10']!, ndcg: item['NDCG@10']! };
});
console.log(JSON.stringify(evaluated));
