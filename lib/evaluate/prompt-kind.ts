/**
 * Where prompts are other than those that a model was trained with: part of what an evaluation or a generation is of, so
 * that a trial of other prompts does not overwrite what the model does with its own.
 */
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { hashFile, hashText, readJson } from '../files/files.js';
import type { SidTokens } from '../lm/choices.js';
import { defined } from '../support/defined.js';
import { CUTOFF_LEN } from '../tasks/prompts.js';
import { HELD_OUT } from '../tasks/task-rows.js';
import { placeholdersIn, type Template } from '../tasks/templates.js';
import type { TrainedWith } from './trained-with.js';

/** What is other than in training; empty where nothing is. */
export interface PromptKind {
  /** Tokens of a prompt at most. */
  cutoffLen?: number;
  chatTemplate?: boolean;
  sidTokens?: SidTokens;
  /** Share of the items; of tasks of items. */
  heldOutItems?: number;
  /** SHA-256 of the task's template. */
  templateHash?: string;
  /** SHA-256 of the file of preferences, where prompt or answer holds one; training made them by rule, or none is known of. */
  preferences?: string;
  /** SHA-256 of an index that is neither that of the training nor, where none is known of, the data folder's own. */
  otherIndex?: string;
}

/** Options of prompts that were given. */
export interface AskedPrompts extends Pick<PromptKind, 'cutoffLen' | 'chatTemplate' | 'sidTokens' | 'heldOutItems'> {
  /** Folder, or GGUF file. */
  model: string;
  /** File. */
  preferences?: string;
}

/** What they are used with. */
export interface UsedPrompts {
  /** Name of the task. */
  task: string;
  /** Of the task. */
  template: Template;
  /** File. */
  index: string;
  /** The data folder's own index. */
  ownIndex: string;
}

/** @param run what the model was trained with @throws InputError for a file that is damaged */
export function promptKind(asked: AskedPrompts, run: TrainedWith, used: UsedPrompts): PromptKind {
  const { model, preferences } = asked;
  const { task, template } = used;
  const trained = Object.hasOwn(run.templates, task) ? run.templates[task] : undefined;
  const reads = [template.answer, ...template.prompts].some((text) => placeholdersIn(text).includes('preference'));
  const sameTemplate = JSON.stringify(trained) === JSON.stringify(template);
  return defined({
    cutoffLen: other(asked.cutoffLen, run.cutoffLen ?? CUTOFF_LEN),
    chatTemplate: other(asked.chatTemplate, run.chatTemplate ?? false),
    sidTokens: other(asked.sidTokens, run.sidTokens ?? 'new'),
    heldOutItems: template.of === 'items' ? other(asked.heldOutItems, run.heldOutItems ?? HELD_OUT) : undefined,
    templateHash: sameTemplate ? undefined : hashText(JSON.stringify(template)),
    preferences: reads && preferences !== undefined ? hashFile(preferences) : undefined,
    otherIndex: otherIndex(model, used),
  });
}

/** Its words in the name of a file. @example promptTags({ cutoffLen: 12, chatTemplate: false }) // ['cutoff-12', 'no-chat'] */
export function promptTags(kind: PromptKind): string[] {
  const { cutoffLen, chatTemplate, sidTokens, heldOutItems, templateHash, preferences, otherIndex: index } = kind;
  const tags = {
    ...{ cutoff: cutoffLen, sids: sidTokens, 'held-out': heldOutItems },
    ...{ template: short(templateHash), preferences: short(preferences), index: short(index) },
  };
  const chat = chatTemplate === undefined ? [] : [chatTemplate ? 'chat' : 'no-chat'];
  return [...chat, ...Object.entries(defined(tags)).map(([name, value]) => `${name}-${value}`)];
}

const short = (hash: string | undefined): string | undefined => hash?.slice(0, 8);

function other<T>(given: T | undefined, usual: T): T | undefined {
  return given === usual ? undefined : given;
}

function otherIndex(model: string, { index, ownIndex }: UsedPrompts): string | undefined {
  const usual = trainedIndex(model) ?? (existsSync(ownIndex) ? hashFile(ownIndex) : undefined);
  return usual === undefined ? undefined : other(hashFile(index), usual);
}

/** Of the run that wrote the model: SHA-256 of its index. */
function trainedIndex(model: string): string | undefined {
  const file = join(dirname(model), 'config.json');
  if (!existsSync(file)) return undefined;
  const index = readJson<{ inputs?: { index?: unknown } } | null>(file)?.inputs?.index;
  return typeof index === 'string' ? index : undefined;
}
