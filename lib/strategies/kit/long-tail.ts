/** Long tail: what is bought seldom counts more in training, and popularity less in the list. */
import type { Strategy } from '../strategy.js';
import { addReward, addWeight } from '../training-options.js';

/** Of times bought; at 1 every item would count alike. */
const EXPONENT = 0.25;
/** Of logit adjustment; at 1 popularity would not count at all where the model is right about it. */
const TAU = 0.25;

/** Weights of rows by popularity, logit adjustment, and a reward for lists that are not all alike. */
export const LONG_TAIL: Strategy = {
  name: 'long_tail',
  help: 'rows weighted against popularity, logit adjustment in the search, a diversity reward in GRPO',
  modes: ['long tail', 'popularity bias'],
  propose({ config }) {
    const changes = {
      ...addWeight(config, 'sft', `balanced:${EXPONENT}`),
      ...(config.grpo && addWeight(config, 'grpo', `balanced:${EXPONENT}`)),
      ...addReward(config, 'diversity:0.1'),
      ...(!config.evaluate?.logitAdjustment && { 'evaluate.logitAdjustment': TAU }),
    };
    if (Object.keys(changes).length === 0) return 'rows are weighted and popularity is adjusted already';
    return {
      changes,
      expected:
        'More hits among items that are bought seldom, and lists that cover more of the catalogue; popular targets may lose ' +
        'a little.',
    };
  },
};
