/**
 * Some updates of GRPO by the kit of any commit, in a process of its own. Usage: node grpo-real-ours.js KIT JOB PRECISION,
 * where KIT is the folder whose `dist/` is used and JOB the options of its `grpo`, as JSON. Prints seconds of the updates
 * after the first.
 */
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { type AskedPrecision, inPrecision } from '../our-precision.js';
import { median } from '../peer.js';
import type { GrpoUpdates } from './grpo-real.js';

interface Kit {
  useEngine(): Promise<string>;
  grpo(options: object): Promise<object>;
}

const [folder, job, asked] = process.argv.slice(2) as [string, string, AskedPrecision];
const kit = (await import(pathToFileURL(join(folder, 'dist/index.js')).href)) as Kit;
await kit.useEngine();
const updates = await inPrecision(asked, async (precision): Promise<GrpoUpdates> => {
  let all = 0;
  const ends: number[] = [];
  const onLog = (lines: readonly Record<string, number>[]): void => {
    const { reward, tokens } = lines.at(-1)!;
    if (reward === undefined) return; // a validation
    all = tokens!;
    ends.push(performance.now());
  };
  await kit.grpo({ ...(JSON.parse(job) as object), onLog });
  const each = ends.slice(1).map((end, i) => (end - ends[i]!) / 1000); // kernels are made in the first
  return { precision, seconds: median(each), each, tokens: all };
});
console.log(JSON.stringify(updates));
