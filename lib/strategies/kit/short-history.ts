/** Short histories: the model sees more of them in training, and learns what a few purchases say of a taste. */
import type { Strategy } from '../strategy.js';
import { addReward, addTasks, readsText } from '../training-options.js';

/** Share of the examples that come once more, cut. */
const SHARE = 0.5;
/** Items that are left at most. */
const LEFT = 2;

/** Histories that are cut, a profile in words, a collaborative reward. */
export const SHORT_HISTORY: Strategy = {
  name: 'short_history',
  help: 'examples once more with histories cut short, profile text, a collaborative reward (sasrec) in GRPO',
  modes: ['short history'],
  propose({ config }) {
    const { cutHistories = 0 } = config.sft ?? {};
    const reward = addReward(config, 'sasrec:0.5');
    const changes = {
      ...(cutHistories === 0 && { 'sft.cutHistories': SHARE, 'sft.cutLength': LEFT }),
      ...(readsText(config) && addTasks(config, ['preference2sid'])),
      ...reward,
      ...(Object.keys(reward).length > 0 && { 'grpo.aggregateRewards': 'normalize_then_sum' }),
    };
    if (Object.keys(changes).length === 0) return 'short histories are trained already';
    const alone = readsText(config)
      ? ''
      : ' A model of bare SIDs has no words for a profile; name sft.tasks to train some.';
    return {
      changes,
      expected: `More hits where a user has bought one or two items; an epoch has half as many examples again.${alone}`,
    };
  },
};
