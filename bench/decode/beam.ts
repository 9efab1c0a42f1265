/**
 * Users a second of constrained beam search on Qwen2.5-0.5B's shape (random weights): 8 users at once, ours with scores
 * over the whole vocabulary (`full`, what the peer computes) and over the legal continuations (`legal`), against
 * transformers' `generate` in MiniOneRec's manner, in its faster precision. Two ways of the peer count, as MiniOneRec calls
 * it and with the wording that all prompts share computed once; the note has a third, with each prompt computed once.
 */
import type { Ranking } from 'sidlab/decode';
import { askedPrecision, type AskedPrecision, type Precision } from '../our-precision.js';
import { peerFolder, type Precise, ratesText, runPeer } from '../peer.js';
import { benchShape } from '../qwen.js';
import { randomModel } from '../random-model.js';
import type { Row } from '../row.js';
import { runOurs } from '../run-ours.js';
import { beamProblem, type BeamProblem } from './beam-problem.js';

/** What ours scores are normalised over. */
export const NORMALIZATIONS = ['full', 'legal'] as const;

export interface BeamJob extends BeamProblem {
  precision: AskedPrecision;
  /** Folder. */
  model: string;
  beams: number;
}

export interface OurBeams {
  precision: Precision;
  ranked: { normalize: (typeof NORMALIZATIONS)[number]; seconds: number; rankings: Ranking[] }[];
  /** Of the process, bytes. */
  peak: number;
}

interface PeerBeams extends Precise {
  seconds: Record<'plain' | 'wording' | 'prompt', number>;
  /** Best first, a list a user; null for a sequence that is no item. */
  items: (number | null)[][];
}

const USERS = 8;
/** Times the peer's users a second. */
const GOALS = { 50: { full: 22, legal: 38 }, 20: { full: 15, legal: 25 } };

export async function beamBench(beams: 50 | 20): Promise<Row[]> {
  const shape = benchShape();
  const model = randomModel(shape);
  const problem = beamProblem(shape.config, USERS);
  const { precision, ...job }: BeamJob = { ...problem, precision: askedPrecision(), model, beams };
  const ours = runOurs<OurBeams>('decode/beam-ours.js', peerFolder({ ...job, precision }));
  const peer = runPeer<PeerBeams>('beam.py', peerFolder(job)); // in its own best precision
  const told = typeof peer !== 'string';
  const theirs = told ? USERS / Math.min(peer.seconds.plain, peer.seconds.wording) : null;
  return ours.ranked.map(({ normalize, seconds, rankings }) => {
    const rate = USERS / seconds;
    const [ratio, goal] = [theirs && rate / theirs, GOALS[beams][normalize]];
    return {
      name: `beam-${beams}, ${normalize}${shape.suffix}`,
      ours: rate,
      peer: theirs,
      floor: null,
      unit: 'users a second',
      ratio,
      goal: `at least ${goal} x`,
      reached: ratio !== null && ratio >= goal,
      spread: 0,
      precision: ours.precision,
      peerPrecision: told ? (peer.precision ?? null) : null,
      note: told
        ? `${waysText(peer)}; ${overlap(rankings, peer.items)} of ${USERS * beams} items in both lists; ours peaks at ${(ours.peak / 1e9).toFixed(1)} GB; ${ratesText(peer)}`
        : peer,
    };
  });
}

function waysText({ seconds }: PeerBeams): string {
  const ways = Object.entries(seconds).map(([way, s]) => `${way} ${(USERS / s).toFixed(3)}`);
  return `generate, users a second: ${ways.join(', ')}`;
}

/** Items of both lists of a user, over all users: random weights leave near ties, which bf16 decides by rounding. */
function overlap(rankings: readonly Ranking[], lists: PeerBeams['items']): number {
  return rankings.reduce((sum, { items }, user) => {
    const theirs = new Set(lists[user]);
    return sum + items.filter((item) => theirs.has(item)).length;
  }, 0);
}
