/** Groups for an estimate: of the size that rollouts have, without a reward. */
import { beamSearch } from '../../../decode/beam-search.js';
import { namingRows } from '../../../decode/finite-scores.js';
import type { LanguageModel } from '../../../lm/language-model.js';
import type { Group } from '../loss/group.js';
import { type RlTask, rowName, type TaskRow } from './rl-task.js';

/** What decides how large groups are. */
export interface ProbeOptions {
  numGenerations: number;
  sftWeight: number;
}

/** A group of the largest size that the row's can have; its tokens mean nothing. */
export function sizedGroup(tasks: readonly RlTask[], { task, row }: TaskRow, options: ProbeOptions): Group {
  const { render, maxTokens } = tasks[task]!;
  const completion = Array<number>(maxTokens).fill(0);
  return groupOf(
    render.prompt(row.history, row.target),
    Array.from({ length: options.numGenerations }, () => completion),
    options.sftWeight > 0 ? render.answer(row.target, row.history) : undefined,
  );
}

/** The beams of rows, so that the search is measured too; of tasks without a trie groups of the largest size. */
export function probeGroups(
  model: LanguageModel,
  tasks: readonly RlTask[],
  rows: readonly TaskRow[],
  options: ProbeOptions,
): Group[] {
  const groups = rows.map((row) => sizedGroup(tasks, row, options));
  tasks.forEach(({ trie, render }, number) => {
    const places = [...rows.keys()].filter((r) => rows[r]!.task === number);
    if (!trie || places.length === 0) return;
    const prompts = places.map((r) => groups[r]!.prompt);
    const named = (prompt: number): string => rowName(tasks[number]!.name, rows[places[prompt]!]!.row);
    const rankings = namingRows(named, () => beamSearch(model, trie, prompts, { numBeams: options.numGenerations }));
    rankings.forEach(({ items }, i) => {
      const { prompt, answer } = groups[places[i]!]!;
      groups[places[i]!] = groupOf(prompt, items.map((item) => render.answer(item)), answer); // prettier-ignore
    });
  });
  return groups;
}

/** Advantages of either sign, so that every group has a gradient. */
function groupOf(
  prompt: readonly number[],
  completions: readonly (readonly number[])[],
  answer: readonly number[] | undefined,
): Group {
  return {
    prompt,
    completions,
    advantages: completions.map((_, g) => (g % 2 === 0 ? 1 : -1)),
    ...(answer && { answer }),
  };
}
