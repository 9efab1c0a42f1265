/**
 * One step of GRPO at Qwen2.5-0.5B's shape without the optimizer: 2 prompts of 120 tokens, 16 beams each, completions of 5
 * tokens; rollout, reference, policy and its gradient. Ours against transformers, each in a process of its own (16 GB of
 * memory are needed), the peer in the faster of its ways. Two rows: seconds, and the peak of memory above both models and
 * the gradients.
 */
import { beamProblem, type BeamProblem } from '../decode/beam-problem.js';
import { askedPrecision, type AskedPrecision, type Precision } from '../our-precision.js';
import { peerFolder, type Precise, ratesText, type Timed } from '../peer.js';
import { benchShape, type QwenConfig } from '../qwen.js';
import { randomModel } from '../random-model.js';
import type { Row } from '../row.js';
import { runOurs } from '../run-ours.js';
import { passProducts, type Product, productsFloor, stepProducts } from './step-floor.js';
import { fastest, runWays } from './training-peers.js';

export interface GrpoJob extends BeamProblem {
  precision: AskedPrecision;
  /** Folder; policy and reference start from it. */
  model: string;
  /** Completions of a prompt. */
  beams: number;
  beta: number;
  /** Place of the hit among them, from 1. */
  rank: number;
  /** Steps that are measured. */
  steps: number;
}

interface Stepped extends Timed {
  each: number[];
  /** Of the median step. */
  phases: Record<'rollout' | 'reference' | 'policy', number>;
  /** Of the gradient. */
  norm: number;
  /** Bytes at the peak of a step above models and gradients. */
  above: number;
}

export interface OurGrpoSteps extends Stepped {
  precision: Precision;
  /** Tokens through the policy, prompts shared, and those of them whose scores are needed. */
  tokens: number;
  scored: number;
  /** Nodes at each depth of the search, the prompt's last token the first of them. */
  levels: number[];
}

type PeerSteps = Stepped & Precise;

const [PROMPTS, BEAMS] = [2, 16];

export async function grpoStep(): Promise<Row[]> {
  const shape = benchShape();
  const problem = beamProblem(shape.config, PROMPTS);
  const asked = { precision: askedPrecision(), model: randomModel(shape), beams: BEAMS, beta: 1e-3, rank: 3, steps: 3 };
  const { precision, ...job }: GrpoJob = { ...problem, ...asked };
  const ours = runOurs<OurGrpoSteps>('train/grpo-step-ours.js', peerFolder({ ...job, precision }));
  const ways = runWays<PeerSteps>('grpo_step.py', peerFolder(job));
  const floor = productsFloor(floorProducts(shape.config, ours, problem));
  const told = typeof ways !== 'string';
  const peer = told ? fastest(ways, ({ seconds }) => seconds) : null;
  const ratio = peer && ours.seconds / peer.seconds;
  const said = told ? ways.map((way) => `${way.precision}: ${stepText(way)}`).join('; ') : ways;
  const kept = told ? ways[0] : null; // in autocast weights are ours'
  const share = kept && ours.above / kept.above;
  return [
    {
      name: `grpo-step${shape.suffix}`,
      ours: ours.seconds,
      peer: peer?.seconds ?? null,
      ratio,
      floor: floor?.seconds ?? null,
      unit: 's',
      goal: 'at most 1/14 x, and 1.3 x the floor',
      reached: ratio !== null && ratio <= 1 / 14 && floor !== null && ours.seconds <= 1.3 * floor.seconds,
      spread: Math.max(...ours.each) - Math.min(...ours.each),
      precision: ours.precision,
      peerPrecision: peer?.precision ?? null,
      note:
        `ours: ${stepText(ours)}, ${ours.tokens} tokens through the policy; transformers ${said}; floor: ` +
        `${floor?.said ?? 'none without the peers'}${told ? `; ${ratesText(ways[0])}` : ''}`,
    },
    {
      name: `grpo-memory${shape.suffix}`,
      ours: ours.above / 1e9,
      peer: kept && kept.above / 1e9,
      ratio: share,
      floor: null,
      unit: 'GB',
      goal: 'at most 0.15 x',
      reached: share !== null && share <= 0.15,
      spread: 0,
      precision: ours.precision,
      peerPrecision: kept?.precision ?? null,
      note: told ? ways.map((way) => `${way.precision} ${(way.above / 1e9).toFixed(2)} GB`).join(', ') : ways,
    },
  ];
}

function stepText({ each, phases, norm }: Stepped): string {
  const of = Object.entries(phases).map(([phase, seconds]) => `${phase} ${seconds.toFixed(2)}`);
  return `steps ${each.map((seconds) => seconds.toFixed(2)).join(' ')} (${of.join(', ')}), norm ${norm.toPrecision(3)}`;
}

/**
 * Prompt and levels of the search one after the other, since a level waits for the one before; the reference once over all
 * tokens; the policy with its gradient. The rollout's forward is not used again.
 */
function floorProducts(config: QwenConfig, ours: OurGrpoSteps, { prompts }: BeamProblem): Product[] {
  const { tokens, scored, levels } = ours;
  const [, ...later] = levels;
  return [
    ...passProducts(config, prompts.flat().length, prompts.length),
    ...later.flatMap((nodes) => passProducts(config, nodes, nodes)),
    ...passProducts(config, tokens, scored),
    ...stepProducts(config, tokens, scored),
  ];
}
