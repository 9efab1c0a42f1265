/** From options to a mix: which tasks are trained, and which of them ranks the validation rows. */
import { InputError } from '../support/errors.js';
import { canChain, EXAMPLE_MODES, type ExampleMode } from './examples.js';
import { parseTasks, type TaskPart } from './task-mix.js';
import { answersWithSid, findTemplate, readTemplates, TEMPLATES, type Templates } from './templates.js';

/** What is asked for. */
export interface PlanTasksOptions {
  /** A mix, see `parseTasks`. Default: the template alone. */
  tasks?: string | undefined;
  /** The task whose rows are ranked. Default: `sids`, or of a mix the first that answers with a SID. */
  template?: string | undefined;
  /** File of templates, added to the kit's own. */
  templates?: string | undefined;
  /** Default `chain` for a bare sequence of items, else `row`. */
  mode?: ExampleMode | undefined;
}

/** What is trained and ranked. */
export interface TaskPlan {
  /** The mix. */
  parts: TaskPart[];
  /** All that are known, the file's included. */
  templates: Templates;
  /** Of the parts that are bare sequences of items. */
  mode: ExampleMode;
  /** Whether a vocabulary of the kit's templates of SIDs alone (`sids`, `words`) is not enough. */
  custom: boolean;
  /** The task whose rows are ranked; absent where no task of the mix answers with a SID. */
  ranked?: string;
}

/** @throws InputError for tasks that are not there, and for a task to rank that is not trained */
export function planTasks({ tasks, template, templates: file, mode }: PlanTasksOptions): TaskPlan {
  if (mode !== undefined && !EXAMPLE_MODES.includes(mode)) {
    throw new InputError(`--mode: expected ${EXAMPLE_MODES.join(' or ')}, got ${String(mode)}`);
  }
  const templates = readTemplates(file);
  if (tasks !== undefined) {
    const parts = parseTasks(tasks, templates, mode ?? 'chain');
    const ranked = template === undefined ? rankedBy(parts) : trained(template, parts);
    return { parts, templates, mode: mode ?? 'chain', custom: true, ...(ranked !== undefined && { ranked }) };
  }
  const name = template ?? 'sids';
  const found = findTemplate(name, templates);
  const part = { name, template: found, mode: mode ?? (canChain(found) ? 'chain' : 'row'), weight: 1, maxExamples: 0 };
  const custom = found !== TEMPLATES.sids && found !== TEMPLATES.words;
  return { parts: [part], templates, mode: part.mode, custom, ...(answersWithSid(found) && { ranked: name }) };
}

function trained(template: string, parts: readonly TaskPart[]): string {
  const names = parts.filter((part) => answersWithSid(part.template)).map(({ name }) => name);
  if (names.includes(template)) return template;
  const among = names.length > 0 ? names.join(', ') : 'none answers with a SID';
  throw new InputError(`--template: expected a task that is trained and ranked (${among}), got ${template}`);
}

/** A task of rows first: the next item is what a recommender is for. */
function rankedBy(parts: readonly TaskPart[]): string | undefined {
  const coded = parts.filter(({ template }) => answersWithSid(template));
  return (coded.find(({ template }) => template.of === 'rows') ?? coded[0])?.name;
}
