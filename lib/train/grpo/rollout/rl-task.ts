/** A task as reinforcement learning sees it: its rows, its prompts, what may answer them, and what an answer is worth. */
import type { Row } from '../../../data/dataset.js';
import type { SidIndex } from '../../../data/sid-index.js';
import type { ItemTrie } from '../../../decode/item-trie.js';
import { createRecommender, modelRenderer, type RecommenderOptions } from '../../../evaluate/recommender.js';
import type { LanguageModel } from '../../../lm/language-model.js';
import type { TextTokenizer } from '../../../lm/tokenizer/tokenizer.js';
import { InputError } from '../../../support/errors.js';
import { largest } from '../../../support/extremes.js';
import type { Renderer } from '../../../tasks/prompts.js';
import type { TaskPart } from '../../../tasks/task-mix.js';
import { answersWithSid, type Template } from '../../../tasks/templates.js';
import type { RewardPart } from '../rewards/reward-list.js';

/** A task of a mix. */
export interface RlTask {
  name: string;
  /** What its answers are: SIDs of items, or words. */
  kind: 'items' | 'texts';
  render: Renderer;
  /** The items, of a task that answers with a SID. */
  trie?: ItemTrie;
  /** Tokens of an answer at most. */
  maxTokens: number;
  /** The token that ends an answer, where its template has one. */
  end?: number;
  /** Items that a text is of, several where they share it; [-1] where it is no item's. */
  itemsOf(tokens: readonly number[]): readonly number[];
  /** The rewards that are for its answers. */
  rewards: readonly RewardPart[];
}

/** What tasks are made of. */
export interface RlTaskContext {
  model: LanguageModel;
  tokenizer: TextTokenizer;
  index: SidIndex;
  reading: RecommenderOptions;
  rewards: readonly RewardPart[];
  /** Tokens of an answer in words at most. */
  maxTokens: number;
}

/** @throws InputError for a task that none of the rewards is for */
export function rlTask({ name, template }: Pick<TaskPart, 'name' | 'template'>, context: RlTaskContext): RlTask {
  const { model, tokenizer, index, reading } = context;
  const kind = answerKind(template);
  const rewards = rewardsFor(name, template, context.rewards);
  if (kind === 'texts') {
    const { sidTokens: _sids, templates: _all, ...rendering } = reading;
    const render = modelRenderer(model, tokenizer, index, template, rendering);
    return {
      name,
      kind,
      render,
      maxTokens: context.maxTokens,
      ...endOf(template, render),
      itemsOf: () => [-1],
      rewards,
    };
  }
  const { render, trie } = createRecommender(model, tokenizer, index, name, reading);
  const answers = index.map((_, item) => render.answer(item));
  const byText = new Map<string, number[]>();
  answers.forEach((answer, item) => byText.set(answer.join(), [...(byText.get(answer.join()) ?? []), item]));
  return {
    name,
    kind,
    render,
    trie,
    maxTokens: largest(answers.map(({ length }) => length)),
    ...endOf(template, render),
    itemsOf: (tokens) => byText.get(tokens.join()) ?? [-1],
    rewards,
  };
}

/** What a template's answers are. */
export function answerKind(template: Pick<Template, 'answer'>): RlTask['kind'] {
  return answersWithSid(template) ? 'items' : 'texts';
}

/** Those that are for a task's answers; one that reads the history is for tasks of rows. @throws InputError if there is none */
export function rewardsFor(
  name: string,
  template: Pick<Template, 'of' | 'answer'>,
  rewards: readonly RewardPart[],
): RewardPart[] {
  const kind = answerKind(template);
  const hasHistory = template.of === 'rows';
  const own = rewards.filter(({ named }) => !named || (named.of === kind && (hasHistory || !named.readsHistory)));
  if (own.length > 0) return own;
  const answer = kind === 'items' ? 'a SID' : 'words';
  const asked = !hasHistory && rewards.some(({ named }) => named?.readsHistory);
  throw new InputError(
    `grpo: task ${name} answers with ${answer}${asked ? ' and has no history' : ''}: expected a reward for such answers beside ${rewards.map((part) => part.name).join(', ')}; ` +
      (kind === 'items' ? 'add ranking or rule' : 'add rouge or cosine'),
  );
}

/** The last token of an answer, where it is the template's own `{end}`. */
function endOf({ answer }: Template, render: Renderer): { end?: number } {
  return answer.endsWith('{end}') ? { end: render.answer(0).at(-1)! } : {};
}

/** A row of a task. */
export interface TaskRow {
  /** Number of the task in the mix. */
  task: number;
  row: Row;
}

/** What a row is called in an error. @param task its name */
export function rowName(task: string, { user, target }: Row): string {
  return `grpo: ${task}: ${user === '' ? `item ${target}` : `the row of user ${JSON.stringify(user)}`}`;
}
