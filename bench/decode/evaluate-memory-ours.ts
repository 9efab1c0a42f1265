/** Ours of `evaluate-memory`, in a process of its own. Usage: node evaluate-memory-ours.js FOLDER */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { loadModel, useEngine } from 'sidlab';
import { beamSearch, buildTrie } from 'sidlab/decode';
import { QWEN_PRODUCTS } from '../qwen.js';
import { inPrecision, type Precision } from '../our-precision.js';
import { timed } from '../peer.js';
import { forgetPeak, resident } from '../resident.js';
import type { BeamJob } from './beam.js';
import type { EvaluateMemory } from './evaluate-memory.js';

await useEngine();
const job = JSON.parse(readFileSync(join(process.argv[2]!, 'job.json'), 'utf8')) as BeamJob;
console.log(JSON.stringify(inPrecision(job.precision, measure, QWEN_PRODUCTS)));

function measure(precision: Precision): EvaluateMemory {
  const { prompts, beams: numBeams, items } = job;
  const model = loadModel(job.model, { precision, frozen: true });
  const trie = buildTrie(items);
  beamSearch(model, trie, prompts.slice(0, 1), { numBeams: 2 }); // the weights are in the engine now, and used once
  forgetPeak();
  const { now: weights } = resident();
  const { seconds } = timed(() => beamSearch(model, trie, prompts, { numBeams }));
  return { precision, seconds, weights, above: resident().peak - weights };
}
