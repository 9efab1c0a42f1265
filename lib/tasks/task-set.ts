/**
 * The examples of a mix of tasks. An epoch is a list of references (which example, with which prompt template), decided by seed and
 * epoch alone; a reference becomes tokens when its turn comes.
 *
 * Every prompt of a template is trained, the first one, which evaluation uses, among them.
 */
import type { Dataset, Row } from '../data/dataset.js';
import { InputError } from '../support/errors.js';
import { Random } from '../support/random.js';
import { chainExample, type ChainText, chainTexts, type Example, type LossOn, rowExample } from './examples.js';
import type { Renderer, PromptContext } from './prompts.js';
import type { TaskPart } from './task-mix.js';
import { taskRows } from './task-rows.js';
import { placeholdersIn } from './templates.js';

/** Which example, with which prompt. */
export interface ExampleReference {
  /** Number of the task in the mix. */
  task: number;
  /** Number of the example among those of the task. */
  example: number;
  /** Which of the template's prompts. */
  prompt: number;
}

/** How many examples a task has. */
export interface TaskCounts {
  /** Examples that an epoch draws from. */
  examples: number;
  /** References to the examples of an epoch. */
  perEpoch: number;
  /** Rows left out: without their text, or with the answer in the prompt. */
  leftOut: number;
}

/** How examples are drawn. */
export interface TaskSetOptions {
  /** Share of every task's examples, drawn once by the seed. Default 1. */
  dataRatio?: number;
  /** Items of context in chain mode. Default 10. */
  window?: number;
  /** Different prompts of its template that an example has in a pass, as far as there are so many. Default 1. */
  promptsPerExample?: number;
  /** Where the loss is: on answers, or on prompts too. Default `answer`. */
  lossOn?: LossOn;
  /** Share of the items held out for validation, and as many again for the test. Default .05. */
  heldOutItems?: number;
  /** Decides what is drawn, and the prompts of each epoch. */
  seed: number;
}

interface Member extends TaskPart {
  rows: Row[];
  /** In chain mode. */
  texts?: ChainText[];
  /** Of a template with one prompt, the examples that were met so far. */
  made: (Example | undefined)[];
  leftOut: number;
  /** Numbers of the examples that were drawn. */
  drawn: number[];
}

/** The examples of a mix of tasks. */
export class TaskSet {
  private readonly members: Member[];

  /** @param context what decides which rows are whole */
  constructor(
    dataset: Dataset,
    readonly parts: readonly TaskPart[],
    context: PromptContext,
    private readonly options: TaskSetOptions,
  ) {
    const { dataRatio = 1, window = 10, seed, heldOutItems } = options;
    if (!(dataRatio > 0 && dataRatio <= 1)) {
      throw new InputError(`--data-ratio: expected a share above 0, at most 1, got ${dataRatio}`);
    }
    this.members = parts.map((part) => {
      const rows = taskRows(dataset, part.template, 'train', context, heldOutItems);
      const leftOut = taskRows(dataset, part.template, 'train', undefined, heldOutItems).length - rows.length;
      if (rows.length === 0 && leftOut > 0) throw noExamples(part);
      const texts = part.mode === 'chain' ? chainTexts(rows, part.template, window) : undefined;
      const size = (texts ?? rows).length;
      const drawn = draw(size, share(size, dataRatio, part.maxExamples), `${seed}/tasks/${part.name}`);
      return { ...part, rows, leftOut, drawn, made: [], ...(texts && { texts }) };
    });
  }

  /** References to the examples of an epoch, task by task; the caller shuffles. */
  examples(epoch: number): ExampleReference[] {
    const { seed, promptsPerExample = 1 } = this.options;
    const random = new Random(`${seed}/wording/${epoch}`);
    return this.members.flatMap(({ name, template, weight, drawn }, task) => {
      const whole = Array.from({ length: Math.floor(weight) }, () => drawn).flat();
      const some = draw(drawn.length, remainder(weight, drawn.length), `${seed}/tasks/${name}/${epoch}`);
      const prompts = template.prompts.length;
      return [...whole, ...some.map((i) => drawn[i]!)].flatMap((example) =>
        severalOf(prompts, promptsPerExample, random).map((prompt) => ({ task, example, prompt })),
      );
    });
  }

  /** @param renderers one a task of the mix */
  example({ task, example, prompt }: ExampleReference, renderers: readonly Renderer[]): Example {
    const { template, made, rows, texts } = this.members[task]!;
    const known = made[example];
    if (known) return known;
    const render = renderers[task]!;
    const fresh = texts
      ? chainExample(texts[example]!, render)
      : rowExample(rows[example]!, render, prompt, this.options.lossOn);
    if (template.prompts.length === 1) made[example] = fresh;
    return fresh;
  }

  /** The row of a reference, of a task that is no chain. */
  row({ task, example }: ExampleReference): Row {
    return this.members[task]!.rows[example]!;
  }

  /** By task. */
  counts(): Record<string, TaskCounts> {
    return Object.fromEntries(
      this.members.map(({ name, template, weight, drawn, leftOut }) => {
        const prompts = Math.min(template.prompts.length, this.options.promptsPerExample ?? 1);
        const perEpoch = prompts * (Math.floor(weight) * drawn.length + remainder(weight, drawn.length));
        return [name, { examples: drawn.length, perEpoch, leftOut }];
      }),
    );
  }
}

function noExamples({ name, template }: TaskPart): InputError {
  const asked = [...new Set([...template.prompts, template.answer].flatMap((text) => placeholdersIn(text)))]
    .filter((placeholder) => placeholder !== 'end')
    .join(', ');
  return new InputError(
    `--tasks: ${name}: no training example has all that it asks for (${asked}); take another task, or sidlab enrich for what is missing`,
  );
}

/** `count` different numbers below `size`, or all where there are no more. */
function severalOf(size: number, count: number, random: Random): number[] {
  if (size === 1) return [0];
  if (count === 1) return [random.int(size)];
  const all = Array.from({ length: size }, (_, i) => i);
  return random.shuffle(all).slice(0, count);
}

/** Examples beyond the whole passes of a weight. */
function remainder(weight: number, examples: number): number {
  return Math.round((weight - Math.floor(weight)) * examples);
}

/** How many of `size` a ratio and a count leave; at least one. */
function share(size: number, ratio: number, count: number): number {
  const kept = Math.max(Math.min(1, size), Math.round(size * ratio));
  return count > 0 ? Math.min(count, kept) : kept;
}

/** `count` of the numbers below `size`, each once, by the seed; in their order. */
function draw(size: number, count: number, seed: string): number[] {
  const all = Array.from({ length: size }, (_, i) => i);
  if (count >= size) return all;
  const drawn = new Random(seed).shuffle(all).slice(0, count);
  return drawn.sort((a, b) => a - b);
}
