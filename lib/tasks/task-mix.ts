/**
 * Which tasks a model is trained on, and how much of each: `seqrec,title2sid:0.5,sid2title:n=5000,sids:chain`.
 *
 * After a name, any of: a weight (an epoch goes through the task's examples so many times; 0.5 takes another half every
 * epoch), `n=N` (only N examples, drawn once by the seed), `chain` or `row` (see `examples.ts`).
 */
import { InputError } from '../support/errors.js';
import { canChain, EXAMPLE_MODES, type ExampleMode } from './examples.js';
import type { Template, Templates } from './templates.js';

/** One task of a mix. */
export interface TaskPart {
  /** Of its template. */
  name: string;
  /** What is asked and answered. */
  template: Template;
  /** One example a row, or one a sequence of a user. */
  mode: ExampleMode;
  /** Passes through the task's examples an epoch. */
  weight: number;
  /** Examples at most; 0 for all. */
  maxExamples: number;
}

/**
 * @param mode of the parts that a bare sequence makes, unless they say their own; all others are `row`
 * @throws InputError for an unknown or repeated task, or a setting that does not fit
 */
export function parseTasks(text: string, templates: Templates, mode: ExampleMode): TaskPart[] {
  const parts = text.split(',').map((part) => parsePart(part.trim(), templates, mode));
  const names = parts.map(({ name }) => name);
  const twice = names.find((name, i) => names.indexOf(name) < i);
  if (twice !== undefined) throw new InputError(`--tasks: ${twice} is named twice; give it a weight, ${twice}:2`);
  return parts;
}

function parsePart(text: string, templates: Templates, mode: ExampleMode): TaskPart {
  const [name = '', ...settings] = text.split(':');
  const template = Object.hasOwn(templates, name) ? templates[name] : undefined;
  if (!template) {
    throw new InputError(`--tasks: expected any of ${Object.keys(templates).join(', ')}, got ${JSON.stringify(name)}`);
  }
  const part: TaskPart = { name, template, mode: canChain(template) ? mode : 'row', weight: 1, maxExamples: 0 };
  for (const setting of settings) applySetting(part, setting);
  if (part.mode === 'chain' && !canChain(template)) {
    throw new InputError(`--tasks: ${name} is no bare sequence of items; only such tasks (sids) have a chain mode`);
  }
  return part;
}

function applySetting(part: TaskPart, setting: string): void {
  const mode = EXAMPLE_MODES.find((known) => known === setting);
  const count = /^n=([1-9]\d*)$/.exec(setting);
  const weight = /^\d*\.?\d+$/.test(setting) ? Number(setting) : NaN;
  if (mode) part.mode = mode;
  else if (count) part.maxExamples = Number(count[1]);
  else if (weight > 0) part.weight = weight;
  else {
    throw new InputError(
      `--tasks: ${part.name}: expected a weight above 0, n=N, chain or row, got ${JSON.stringify(setting)}`,
    );
  }
}
