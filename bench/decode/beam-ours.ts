/** Ours of `beam-50` and `beam-20`, in a process of its own. Usage: node beam-ours.js FOLDER */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { loadModel, useEngine } from 'sidlab';
import { beamSearch, buildTrie } from 'sidlab/decode';
import { QWEN_PRODUCTS } from '../qwen.js';
import { inPrecision, type Precision } from '../our-precision.js';
import { timed } from '../peer.js';
import { type BeamJob, NORMALIZATIONS, type OurBeams } from './beam.js';

await useEngine();
const job = JSON.parse(readFileSync(join(process.argv[2]!, 'job.json'), 'utf8')) as BeamJob;
console.log(JSON.stringify(inPrecision(job.precision, measure, QWEN_PRODUCTS)));

function measure(precision: Precision): OurBeams {
  const { prompts, beams: numBeams, items } = job;
  const model = loadModel(job.model, { precision, frozen: true });
  const trie = buildTrie(items);
  const ranked = NORMALIZATIONS.map((normalize) => {
    beamSearch(model, trie, prompts.slice(0, 1), { numBeams: 2, normalize });
    const { seconds, value } = timed(() => beamSearch(model, trie, prompts, { numBeams, normalize }));
    return { normalize, seconds, rankings: value };
  });
  return { precision, ranked, peak: process.resourceUsage().maxRSS * 1024 };
}
