/** The options of `badcase`: when a row fails, and the thresholds that each detector declares in its own file. */
import { DATA_OPTIONS, INDEX_OPTIONS } from '../data/data-options.js';
import { PART_OPTIONS } from '../data/join/join-options.js';
import type { Recommender } from '../evaluate/recommender.js';
import { hook, integer, path } from '../options/kinds.js';
import type { Options } from '../options/option.js';
import { defineOptions, type Given, type OptionsOf, type Schema } from '../options/schema.js';
import { InputError } from '../support/errors.js';
import { type AnyDetector, type DetectorInputs, detectorsMismatch } from './detector.js';
import { DETECTORS } from './detectors.js';

type All<U> = (U extends unknown ? (each: U) => void : never) extends (all: infer I) => void ? I : never;
/** A detector without options adds none; `unknown` would swallow those of the others. */
type None = Record<never, never>;
type Own<D> = D extends { readonly options?: infer O } ? (string extends keyof O ? None : NonNullable<O>) : None;
type Collected = All<Own<(typeof DETECTORS)[number]>>;

const TOP_K = {
  topK: integer('a row fails whose target is not among the first so many (of shorter lists: in the list)', {
    default: 10,
  }),
};

/**
 * The options that detectors declare.
 * @throws InputError if two detectors declare one name
 */
export function optionsOfDetectors(detectors: readonly AnyDetector[]): Options {
  const owners = new Map<string, string>();
  for (const { name, options = {} } of detectors) {
    for (const option of Object.keys(options)) {
      const owner = option in TOP_K ? 'badcase' : owners.get(option);
      if (owner !== undefined) {
        throw new InputError(`badcase: ${owner} and ${name} both declare an option ${option}; rename one of them`);
      }
      owners.set(option, name);
    }
  }
  return Object.assign({}, ...detectors.map(({ options }) => options)) as Options;
}

/** When a row fails, and the thresholds of the kit's detectors. */
export const DETECTOR_OPTIONS = { ...TOP_K, ...(optionsOfDetectors(DETECTORS) as Collected & Options) } as {
  [K in keyof (typeof TOP_K & Collected)]: (typeof TOP_K & Collected)[K];
};

const DETECTORS_OPTION = {
  detectors: hook<readonly AnyDetector[]>('what is looked for: [...DETECTORS, mine] in a notebook', detectorsMismatch),
};

const FILE_OPTIONS = {
  ...DATA_OPTIONS,
  results: path('results file of an evaluation on the test rows', {
    otherwise: 'the model is evaluated first',
    affectsResult: false,
  }),
  out: path('folder of report and figures', { otherwise: 'badcase beside results or model', affectsResult: false }),
  ...INDEX_OPTIONS,
  ...PART_OPTIONS,
  embeddings: path('.npy file of item vectors, for detectors that need vectors', {
    otherwise: 'none',
    affectsResult: false,
  }),
  model: path('folder of the model that made the results, or that is evaluated', {
    otherwise: 'none',
    affectsResult: false,
  }),
};

const RULES = { rules: [checkSource] };

function checkSource({ results, model }: { results?: string | undefined; model?: string | undefined }): void {
  if (results !== undefined || model !== undefined) return;
  throw new InputError('badcase: expected --results FILE or --model FOLDER, got neither; name what is to be analysed');
}

/** Of the stage, with the kit's detectors. */
export const BADCASE_OPTIONS = defineOptions(
  'badcase',
  { ...FILE_OPTIONS, ...DETECTORS_OPTION, ...DETECTOR_OPTIONS },
  RULES,
);

/** The schema of the stage with other detectors than the kit's: their options take the place of the kit's. */
export function badCaseSchema(detectors: unknown): typeof BADCASE_OPTIONS {
  return defineOptions('badcase', { ...FILE_OPTIONS, ...DETECTORS_OPTION, ...thresholdsOf(detectors) }, RULES);
}

/** The same of the options of `badCases`. */
export function thresholdSchema(detectors: unknown): Schema<typeof DETECTORS_OPTION & typeof DETECTOR_OPTIONS> {
  return defineOptions('badcase', { ...DETECTORS_OPTION, ...thresholdsOf(detectors) });
}

/** What is no list of detectors is refused by the schema's own check. */
function thresholdsOf(detectors: unknown): typeof DETECTOR_OPTIONS {
  if (detectors === undefined || detectorsMismatch(detectors) !== undefined) return DETECTOR_OPTIONS;
  return { ...TOP_K, ...optionsOfDetectors(detectors as readonly AnyDetector[]) } as typeof DETECTOR_OPTIONS;
}

/** `topK` and the thresholds of the kit's detectors. */
export interface DetectorThresholds extends Given<typeof DETECTOR_OPTIONS> {}

/** Options of `badCases`: thresholds, detectors, and whatever these need beside rows and texts. */
export interface BadCasesOptions extends DetectorThresholds, Partial<Pick<DetectorInputs, 'index' | 'vectors'>> {
  /** The model that made the results, its trie and its prompts. Default none: what needs it does not run. */
  model?: Recommender;
  /** What is looked for. Default `DETECTORS`. */
  detectors?: readonly AnyDetector[];
}

/** Options of `badCaseReport`. */
export interface BadCaseReportOptions extends OptionsOf<typeof BADCASE_OPTIONS> {}
