/**
 * Rules between options of fine-tuning, each with its reason: combinations that would do nothing are refused before
 * anything is read or written.
 */
import { InputError } from '../../support/errors.js';
import { checkExamples } from '../../tasks/example-options.js';
import type { TaskPart } from '../../tasks/task-mix.js';
import { placeholdersIn } from '../../tasks/templates.js';
import { checkOptimizer, checkWarmup } from '../train-options.js';

function refuse(wrong: boolean, message: string): void {
  if (wrong) throw new InputError(`sft: ${message}`);
}

/** Without weights every row is drawn once. */
export function checkWeighting({ weighting, rowWeights }: { weighting: string; rowWeights?: string }): void {
  refuse(
    weighting === 'draw' && rowWeights === undefined,
    '--weighting draw: expected --row-weights, by which rows are drawn, got none; leave it out',
  );
}

/** Options of examples that are not made. */
export function checkMade({
  cutHistories,
  cutLength,
  coldTargets,
  coldSeen,
  coldNeighbours,
}: Record<'cutHistories' | 'cutLength' | 'coldTargets' | 'coldSeen' | 'coldNeighbours', number>): void {
  refuse(cutHistories === 0 && cutLength !== 3, '--cut-length: expected --cut-histories beside it; leave it out');
  refuse(
    coldTargets === 0 && (coldSeen !== 0 || coldNeighbours !== 5),
    '--cold-seen, --cold-neighbours: expected --cold-targets beside them; leave them out',
  );
}

/** SIDs that are spelled in subwords add no token, so there is no row to begin with anything. */
export function checkSpelled({
  sidTokens,
  sidVocabulary,
  init,
}: {
  sidTokens?: string;
  sidVocabulary: string;
  init: string;
}): void {
  const spelled = sidTokens === 'subwords';
  refuse(
    spelled && sidVocabulary !== 'used',
    `--sid-vocabulary ${sidVocabulary}: --sid-tokens subwords adds no tokens; leave it out`,
  );
  refuse(spelled && init !== 'mean', `--init ${init}: --sid-tokens subwords adds no tokens; leave it out`);
}

/** All between options. */
export const SFT_RULES = [checkWarmup, checkExamples, checkOptimizer, checkWeighting, checkMade, checkSpelled];

/** What none of the tasks would look at. @throws InputError for the first */
export function checkTaskOptions(
  { lossOn, preferences }: { lossOn: string; preferences?: string | undefined },
  parts: readonly TaskPart[],
): void {
  refuse(
    lossOn === 'all' && parts.every(({ mode }) => mode === 'chain'),
    '--loss-on all: a chain is trained at every item in any case; take --mode row, or leave it out',
  );
  const asked = parts.flatMap(({ template }) => [template.answer, ...template.prompts].flatMap(placeholdersIn));
  refuse(
    preferences !== undefined && !asked.includes('preference'),
    `--preferences: none of the tasks (${parts.map(({ name }) => name).join(', ')}) asks for {preference}; leave it out`,
  );
}
