/**
 * Ours in a process of its own, so that the peak of memory is the filter's alone. Prints one JSON object.
 * Usage: node filter-ours.js filter|inflate REVIEWS META OUT
 */
import { createReadStream } from 'node:fs';
import { createGunzip } from 'node:zlib';
import { filterStage } from 'sidlab';

const [work, reviews, meta, out] = process.argv.slice(2) as [string, string, string, string];
const [start, used] = [performance.now(), process.cpuUsage()];
let bytes = 0;
if (work === 'inflate') {
  const source = createReadStream(reviews, { highWaterMark: 1 << 18 });
  for await (const chunk of source.pipe(createGunzip({ chunkSize: 1 << 18 }))) bytes += (chunk as Buffer).length;
} else {
  await filterStage({ reviews, meta, out, dataset: 'Shop' });
}
const seconds = (performance.now() - start) / 1000;
const { user, system } = process.cpuUsage(used);
const processor = (user + system) / 1e6;
console.log(JSON.stringify({ seconds, processor, bytes, peakGB: process.resourceUsage().maxRSS / 1e6 }));
