/** Cold start: items without training rows are learned from their texts and from those that are like them. */
import { isShape } from '../../train/sft/initial-model.js';
import type { Strategy } from '../strategy.js';
import { addTasks, readsText } from '../training-options.js';

/** Rows made for each cold item. */
const ROWS = 8;

/** Rows of their nearest neighbours, item-feature alignment tasks, new SID tokens from title words. */
export const COLD_START: Strategy = {
  name: 'cold_start',
  help: 'rows for cold items from their nearest neighbours, tasks that align SIDs with texts, tokens from title words',
  modes: ['cold start', 'far from history'],
  propose({ config }) {
    const { model = 'qwen2:128x4', coldTargets = 0, init = 'mean', sidTokens = 'new' } = config.sft ?? {};
    const changes = {
      ...(coldTargets === 0 && { 'sft.coldTargets': ROWS }),
      ...(readsText(config) && addTasks(config, ['title2sid', 'sid2title'])),
      ...(!isShape(model) && init === 'mean' && sidTokens === 'new' && { 'sft.init': 'title' }),
    };
    if (Object.keys(changes).length === 0) return 'cold items have rows and tasks already';
    const alone = readsText(config)
      ? ''
      : ' A model of bare SIDs has no words, so that there are no tasks of titles; name sft.tasks to train some.';
    return {
      changes,
      expected: `Items that nobody bought get into lists of those who buy what is like them; others may lose a little.${alone}`,
    };
  },
};
