/**
 * The examples of a mix of tasks. An epoch is a list of references (which example, with which prompt template), decided by seed and
 * epoch alone; a reference becomes tokens when its turn comes.
 *
 * Every prompt of a template is trained, the first one, which evaluation uses, among them. Tasks of rows know how much
 * each row counts (`weights/`), have rows made for cold items, and examples that come again with a shorter history.
 */
import type { Dataset, Row } from '../data/dataset.js';
import { InputError } from '../support/errors.js';
import { Random } from '../support/random.js';
import { type Cut, cutChain, cutHistory, cutRow, cutText } from './cut-histories.js';
import type { Weighting } from './example-options.js';
import { chainExample, type ChainText, chainTexts, type Example, type LossOn, rowExample } from './examples.js';
import type { Renderer, PromptContext } from './prompts.js';
import type { TaskPart } from './task-mix.js';
import { taskRows } from './task-rows.js';
import { placeholdersIn } from './templates.js';
import { exampleWeights, numbersIn, typicalWeights } from './weights/example-weights.js';
import type { RowWeights } from './weights/row-weights.js';
import { sequenceWeights } from './weights/sequence-weights.js';
import { systematicDraw } from './weights/weighted-draw.js';

/** Which example, with which prompt. */
export interface ExampleReference {
  /** Number of the task in the mix. */
  task: number;
  /** Number of the example among those of the task. */
  example: number;
  /** Which of the template's prompts. */
  prompt: number;
  /** What is left of the row's history, or of the text of chain mode. Default all of it. */
  cut?: Cut;
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
  /** How much each row of the training rows counts, in tasks of rows. Default each alike. */
  weights?: RowWeights | undefined;
  /** Whether weights multiply the loss or say how often a row is drawn. Default `loss`. */
  weighting?: Weighting;
  /** Share of a task's examples that come once more an epoch with a shorter history, in tasks of rows. Default 0. */
  cutHistories?: number;
  /** Items that are left of such a history at most. Default 3. */
  cutLength?: number;
  /** Rows beside the training rows in tasks of rows: those of `coldTargets`. Default none. */
  cold?: readonly Row[];
  /** Different prompts of its template that an example has in a pass, as far as there are so many. Default 1. */
  promptsPerExample?: number;
  /** Where the loss is: on answers, or on prompts too. Default `answer`. */
  lossOn?: LossOn;
  /** Share of the items held out for validation, and as many again for the test. Default .05. */
  heldOutItems?: number;
  /** Tokens of the examples that are kept once they are made; beyond, they are made anew each time. Default 2^22. */
  keptTokens?: number;
  /** Decides what is drawn, and the prompts of each epoch. */
  seed: number;
}

interface Member extends TaskPart {
  rows: Row[];
  /** In chain mode. */
  texts?: ChainText[];
  /** Of a template with one prompt, the examples that were met so far, as far as there is room. */
  made: Map<number, Example>;
  leftOut: number;
  /** Numbers of the examples that were drawn. */
  drawn: number[];
  /** Weight of each example, where weights count and the texts have none of their own. */
  weights?: Float64Array;
}

/** The examples of a mix of tasks. */
export class TaskSet {
  private readonly members: Member[];
  /** Tokens for which there is room. */
  private room: number;

  /** @param context what decides which rows are whole */
  constructor(
    dataset: Dataset,
    readonly parts: readonly TaskPart[],
    context: PromptContext,
    private readonly options: TaskSetOptions,
  ) {
    const { dataRatio = 1, keptTokens = 1 << 22 } = options;
    this.room = keptTokens;
    if (!(dataRatio > 0 && dataRatio <= 1)) {
      throw new InputError(`--data-ratio: expected a share above 0, at most 1, got ${dataRatio}`);
    }
    this.members = parts.map((part) => this.member(part, dataset, context));
  }

  private member(part: TaskPart, dataset: Dataset, context: PromptContext): Member {
    const { dataRatio = 1, window = 10, weighting = 'loss', cold = [], seed, heldOutItems } = this.options;
    const { name, template, mode, maxExamples } = part;
    const weights = template.of === 'rows' ? this.options.weights : undefined;
    if (weights && weighting === 'draw' && mode === 'chain') {
      throw new InputError(
        `--weighting draw: ${name} is trained in texts of several rows, which cannot be drawn one by one; ` +
          'take --mode row, or --weighting loss',
      );
    }
    const own = taskRows(dataset, template, 'train', context, heldOutItems);
    const leftOut = taskRows(dataset, template, 'train', undefined, heldOutItems).length - own.length;
    if (own.length === 0 && leftOut > 0) throw noExamples(part);
    const made = template.of === 'rows' ? taskRows({ ...dataset, train: [...cold] }, template, 'train', context) : [];
    const numbers = weights && numbersIn(dataset.train, own);
    const texts =
      mode === 'chain'
        ? [
            ...chainTexts(own, template, window, weights && sequenceWeights(own, numbers!, weights)),
            ...madeTexts(made, weights),
          ]
        : undefined;
    const rows = [...own, ...made];
    const size = (texts ?? rows).length;
    return {
      ...{ ...part, rows, leftOut, made: new Map() },
      drawn: draw(size, share(size, dataRatio, maxExamples), `${seed}/tasks/${name}`),
      ...(texts && { texts }),
      ...(weights && !texts && { weights: exampleWeights(rows, numbers!, weights) }),
    };
  }

  /** References to the examples of an epoch, task by task; the caller shuffles. */
  examples(epoch: number): ExampleReference[] {
    const { seed, promptsPerExample = 1 } = this.options;
    const random = new Random(`${seed}/wording/${epoch}`);
    return this.members.flatMap((member, task) => {
      const prompts = member.template.prompts.length;
      const whole = this.epochOf(member, epoch).flatMap((example) =>
        severalOf(prompts, promptsPerExample, random).map((prompt): ExampleReference => ({ task, example, prompt })),
      );
      return [...whole, ...this.cutOf(member, task, epoch)];
    });
  }

  /** Numbers of a task's examples in an epoch: whole passes and a part of one, or as many drawn by their weights. */
  private epochOf({ name, weight, drawn, weights }: Member, epoch: number): number[] {
    const { weighting = 'loss', seed } = this.options;
    const count = Math.floor(weight) * drawn.length + remainder(weight, drawn.length);
    if (weights && weighting === 'draw') {
      const random = new Random(`${seed}/weights/${name}/${epoch}`);
      const order = random.shuffle([...drawn]);
      const of = order.map((example) => weights[example]!);
      return systematicDraw(of, count, random.next()).map((i) => order[i]!);
    }
    const whole = Array.from({ length: Math.floor(weight) }, () => drawn).flat();
    const some = draw(drawn.length, remainder(weight, drawn.length), `${seed}/tasks/${name}/${epoch}`);
    return [...whole, ...some.map((i) => drawn[i]!)];
  }

  /** The examples of an epoch that come once more, with a shorter history. */
  private cutOf({ name, template, rows, texts, drawn }: Member, task: number, epoch: number): ExampleReference[] {
    const { cutHistories = 0, cutLength = 3, seed } = this.options;
    if (cutHistories === 0) return [];
    const random = new Random(`${seed}/cut/${name}/${epoch}`);
    const some = draw(drawn.length, Math.round(cutHistories * drawn.length), `${seed}/cut/${name}/${epoch}`);
    return some.flatMap((i): ExampleReference[] => {
      const example = drawn[i]!;
      const cut = texts
        ? cutChain(texts[example]!, cutLength, random)
        : cutHistory(rows[example]!.history.length, cutLength, random);
      return cut ? [{ task, example, prompt: random.int(template.prompts.length), cut }] : [];
    });
  }

  /** @param renderers one a task of the mix */
  example({ task, example, prompt, cut }: ExampleReference, renderers: readonly Renderer[]): Example {
    const { template, made, rows, texts, weights } = this.members[task]!;
    const known = cut ? undefined : made.get(example);
    if (known) return known;
    const render = renderers[task]!;
    const fresh = texts
      ? chainExample(cutText(texts[example]!, cut), render)
      : rowExample(cutRow(rows[example]!, cut), render, prompt, this.options.lossOn);
    if (weights && this.options.weighting !== 'draw') fresh.weights = fresh.labels.map(() => weights[example]!);
    if (template.prompts.length === 1 && !cut && fresh.tokens.length <= this.room) {
      made.set(example, fresh);
      this.room -= fresh.tokens.length;
    }
    return fresh;
  }

  /** The row of a reference, of a task that is no chain. */
  row({ task, example }: ExampleReference): Row {
    return this.members[task]!.rows[example]!;
  }

  /** Whether an epoch's examples are drawn by their weights, others each time. */
  get draws(): boolean {
    return this.options.weighting === 'draw' && this.options.weights !== undefined;
  }

  /** By task. */
  counts(): Record<string, TaskCounts> {
    return Object.fromEntries(
      this.members.map((member, task) => {
        const { name, template, weight, drawn, leftOut } = member;
        const prompts = Math.min(template.prompts.length, this.options.promptsPerExample ?? 1);
        const whole = prompts * (Math.floor(weight) * drawn.length + remainder(weight, drawn.length));
        const perEpoch = whole + this.cutOf(member, task, 0).length;
        return [name, { examples: drawn.length, perEpoch, leftOut }];
      }),
    );
  }
}

/** Of a row that was made, the history is context and its target alone is trained. */
function madeTexts(made: readonly Row[], weights: RowWeights | undefined): ChainText[] {
  const typical = weights && typicalWeights(weights);
  return made.map(({ history, target }) => {
    const items = [...history, target];
    return { items, context: history.length, ...(typical && { weights: items.map((item) => typical[item]!) }) };
  });
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
