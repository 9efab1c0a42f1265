/** What the findings mean and what to do, in words. The bounds are those of the workflow that the kit follows. */
import type { AnyDetector } from './detector.js';
import type { BadCaseFile, CurveFinding, Verdict } from './report-shape.js';

/** Bounds beyond which a finding is a verdict. */
export const BOUNDS = {
  /** Share of rows that fail. */
  failureRate: 0.3,
  /** Share of the failed rows with a named cause. */
  mode: 0.2,
  /** Share of the failed rows whose target is at ranks 11 to 50. */
  nearMiss: 0.5,
  /** Items beyond the first of each SID. */
  collisions: 0,
  /** Perplexity of a level over the codes in use. */
  evenness: 0.33,
  /** Cosine of items that share a first code less that of others. */
  semanticGap: 0.05,
} as const;

/** The most urgent first. @param detectors those that ran */
export function verdictsOf(
  report: Omit<BadCaseFile, 'verdicts' | 'cases' | 'titles'>,
  detectors: readonly AnyDetector[],
): Verdict[] {
  return [
    ...failureVerdict(report),
    ...collisionVerdict(report),
    ...report.named.map((name) => modeVerdict(name, report, detectors)),
    ...codeVerdicts(report),
    ...report.curves.flatMap(curveVerdict),
    ...nearMissVerdict(report),
  ];
}

function failureVerdict({
  rows,
  failed,
  failureRate,
  topK,
}: Pick<BadCaseFile, 'rows' | 'failed' | 'failureRate' | 'topK'>): Verdict[] {
  if (failureRate <= BOUNDS.failureRate) return [];
  return [
    {
      ...{ finding: 'failure rate', value: failureRate, threshold: BOUNDS.failureRate },
      words: `${failed} of ${rows} rows (${percent(failureRate)}) lack the true item among the first ${topK}.`,
      advice: 'The model needs more than a finer setting: look at the named causes first, then at its training.',
      strategies: ['hyperparameter'],
    },
  ];
}

function collisionVerdict({ sidQuality: sid }: Pick<BadCaseFile, 'sidQuality'>): Verdict[] {
  if (sid === null || sid.collisions <= BOUNDS.collisions) return [];
  const { collisions, ambiguousItems, ambiguousTraffic } = sid;
  return [
    {
      ...{ finding: 'collisions', value: collisions, threshold: BOUNDS.collisions },
      words: `${ambiguousItems} items share their SID with another; ${percent(ambiguousTraffic)} of the rows ask for one of them.`,
      advice:
        'Mend the SIDs before anything else: another level, a larger codebook, or --collisions reassign. Items of one SID ' +
        'take the places of others, too: evaluate --shared-sids split shows what is left without that.',
      strategies: ['sid_quality'],
    },
  ];
}

function modeVerdict(name: string, { modes }: Pick<BadCaseFile, 'modes'>, detectors: readonly AnyDetector[]): Verdict {
  const { help, share, lift, low, high, heldFixed } = modes[name]!;
  const { advice = '', strategies = [] } = detectors.find((detector) => detector.name === name) ?? {};
  const interval = `${brief(lift!)} times as often as rows that do not (${brief(low!)} to ${brief(high!)})`;
  return {
    ...{ finding: name, value: share, threshold: BOUNDS.mode },
    words:
      `In ${percent(share)} of the failed rows ${help}; failed rows are so ${interval}. ` +
      `With the other causes held fixed it explains ${percent(heldFixed!.explained)} of the failures.`,
    advice: advice === '' ? '' : `${advice[0]!.toUpperCase()}${advice.slice(1)}.`,
    strategies: [...strategies],
  };
}

function codeVerdicts({ sidQuality: sid }: Pick<BadCaseFile, 'sidQuality'>): Verdict[] {
  if (sid === null) return [];
  const uneven = sid.levels
    .map((level) => ({ ...level, evenness: level.perplexity / level.used }))
    .reduce((worst, level) => (level.evenness < worst.evenness ? level : worst));
  const gap = sid.semanticGap.find(({ by, length }) => by === 'vectors' && length === 1);
  return [
    ...(uneven.evenness < BOUNDS.evenness
      ? [
          {
            ...{ finding: 'imbalance', value: uneven.evenness, threshold: BOUNDS.evenness },
            words: `Level ${uneven.level} uses ${uneven.used} codes as unevenly as ${brief(uneven.perplexity)} even ones.`,
            advice: 'Use the codebook evenly: balanced codes, another method, or fewer codes and another level.',
            strategies: ['sid_quality' as const],
          },
        ]
      : []),
    ...(gap !== undefined && gap.gap !== null && gap.gap < BOUNDS.semanticGap
      ? [
          {
            ...{ finding: 'semantic gap', value: gap.gap, threshold: BOUNDS.semanticGap },
            words: `Items that share their first code are hardly more alike (cosine ${gap.within!.toFixed(2)}) than others (${gap.across!.toFixed(2)}).`,
            advice: 'SIDs say little of their items: take other vectors or another method.',
            strategies: ['sid_quality' as const],
          },
        ]
      : []),
  ];
}

const CURVE_ADVICE: Record<Exclude<CurveFinding['state'], 'settled'>, string> = {
  'still improving': 'Train for more epochs.',
  'over-fitted': 'Train for fewer epochs, or with more dropout or weight decay.',
  'below its start': 'Lower the learning rate or raise beta; keep the SFT model until RL is better.',
};

function curveVerdict({ stage, metric, state, best, bestStep, last, lastStep }: CurveFinding): Verdict[] {
  if (state === 'settled') return [];
  return [
    {
      ...{ finding: 'training', value: last, threshold: best },
      words: `${stage} is ${state}: ${metric} ${last.toFixed(3)} at step ${lastStep}, at best ${best.toFixed(3)} at step ${bestStep}.`,
      advice: CURVE_ADVICE[state],
      strategies: ['hyperparameter'],
    },
  ];
}

function nearMissVerdict({ failed, topK, ranks }: Pick<BadCaseFile, 'failed' | 'topK' | 'ranks'>): Verdict[] {
  if (topK > 10) return []; // the bands would count found rows
  const near = (ranks['11-20'] + ranks['21-50']) / Math.max(1, failed);
  if (near <= BOUNDS.nearMiss) return [];
  return [
    {
      ...{ finding: 'near miss', value: near, threshold: BOUNDS.nearMiss },
      words: `${percent(near)} of the missed items stand at ranks 11 to 50: the model goes in the right direction.`,
      advice: 'It needs tuning rather than another design: learning rate, epochs, regularisation, or RL on ranking.',
      strategies: ['hyperparameter'],
    },
  ];
}

const percent = (share: number): string => `${(100 * share).toFixed(share < 0.1 ? 1 : 0)} %`;
const brief = (value: number): string => (value >= 100 ? value.toFixed(0) : value.toFixed(value >= 10 ? 1 : 2));
