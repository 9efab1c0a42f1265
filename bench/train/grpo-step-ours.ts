/** Ours of `grpo-step`, in a process of its own, so that its memory is its own. Usage: node grpo-step-ours.js FOLDER */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as tf from '@tensorflow/tfjs';
import { buildTrie, loadModel, Random, useEngine, wordTokenizer } from 'sidlab';
import { beamSearch } from 'sidlab/decode';
import type { LanguageModel } from 'sidlab';
import {
  batchGradientsInTurns,
  frozenReference,
  GRPO_OPTIONS,
  grpoTask,
  lossDefaults,
  rewardParts,
} from 'sidlab/train';
import { squareSum } from 'sidlab/ops';
import type { BatchGradients } from 'sidlab/train';
import { inPrecision, type Precision } from '../our-precision.js';
import { QWEN_PRODUCTS } from '../qwen.js';
import { forgetPeak, resident } from '../resident.js';
import type { GrpoJob, OurGrpoSteps } from './grpo-step.js';

await useEngine();
const job = JSON.parse(readFileSync(join(process.argv[2]!, 'job.json'), 'utf8')) as GrpoJob;
console.log(JSON.stringify(await inPrecision(job.precision, measure, QWEN_PRODUCTS)));

type Measured = Pick<OurGrpoSteps, 'phases' | 'tokens' | 'norm'>;

async function measure(precision: Precision): Promise<OurGrpoSteps> {
  const { prompts, beams, rank, items, model: folder } = job;
  const model = loadModel(folder, { precision });
  const step = stepper(model, frozenReference(loadModel(folder, { precision, frozen: true })));

  // Weights and their copies are in the engine then, and gradients were made once.
  const short = await step(
    prompts.map((prompt) => prompt.slice(0, 8)),
    2,
  );
  const { now: before } = resident();
  tf.dispose([...short.gradients.values()]);
  forgetPeak();
  tf.dispose([...(await step(prompts, beams)).gradients.values()]);
  const above = resident().peak - before;

  const lists = beamSearch(model, buildTrie(items), prompts, { numBeams: beams });
  const targets = lists.map((list) => list.items[rank - 1]!);
  const steps: Measured[] = [];
  for (let s = 0; s < job.steps; s++) {
    const { gradients, tokens, phases } = await step(prompts, beams, targets);
    steps.push({ tokens, phases, norm: normOf([...gradients.values()]) });
    tf.dispose([...gradients.values()]);
  }
  const seconds = ({ phases }: Measured): number => Object.values(phases).reduce((sum, s) => sum + s, 0);
  steps.sort((a, b) => seconds(a) - seconds(b));
  const middle = steps[steps.length >> 1]!;
  const found = lists.map((list) => list.items.map((item) => items[item]!));
  return {
    ...{ precision, above, seconds: seconds(middle), each: steps.map(seconds), ...middle },
    ...sizes(found),
  };
}

/** Nodes that predict something, by depth: prefixes of the completions found, but for the complete ones. */
function sizes(found: readonly (readonly (readonly number[])[])[]): Pick<OurGrpoSteps, 'levels' | 'scored'> {
  const levels = job.items[0]!.map((_, depth) =>
    found.reduce((sum, group) => sum + new Set(group.map((text) => text.slice(0, depth).join())).size, 0),
  );
  return { levels, scored: levels.reduce((sum, nodes) => sum + nodes, 0) };
}

function normOf(gradients: readonly tf.Tensor[]): number {
  return Math.sqrt(tf.tidy(() => tf.addN(gradients.map(squareSum)).dataSync()[0]!));
}

type Step = (
  prompts: number[][],
  beams: number,
  targets?: number[],
) => Promise<Pick<Measured, 'phases'> & BatchGradients>;

/** A step as the training loop makes it, with the defaults of `grpo`. */
function stepper(model: LanguageModel, reference: ReturnType<typeof frozenReference>): Step {
  const { items, beta } = job;
  const trie = buildTrie(items);
  const settings = GRPO_OPTIONS.parse({ data: 'none', model: 'none', beta });
  const sources = { tokenizer: wordTokenizer([], []) }; // rewards read no text
  return async (prompts, numGenerations, targets = prompts.map(() => -1)) => {
    const render = { prompt: ([row]: readonly number[]) => prompts[row!]!, answer: (item: number) => items[item] ?? [], truncated: 0 }; // prettier-ignore
    const rewards = rewardParts('ranking')!;
    const ranked = { name: 'items', kind: 'items' as const, render, trie, maxTokens: items[0]!.length, rewards };
    const tasks = [{ ...ranked, itemsOf: () => [-1] }]; // for free texts
    const rows = targets.map((target, row) => ({ task: 0, row: { user: `${row}`, history: [row], target } }));
    const options = { ...settings, ...lossDefaults(settings), numGenerations, batchSize: rows.length };
    const task = grpoTask({ model, reference, tasks, sources, rows: () => rows, validate: async () => ({}) }, options);
    const { microBatches, metrics } = await task.objective({ rows, iteration: 0 }, new Random('grpo-step'), 1);
    const gradients = await batchGradientsInTurns(model, microBatches);
    const of = typeof metrics === 'function' ? metrics() : metrics!;
    const phases = {
      rollout: of['seconds rollout']!,
      reference: of['seconds reference']!,
      policy: of['seconds policy']!,
    };
    return { ...gradients, phases };
  };
}
