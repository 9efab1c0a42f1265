/**
 * The pipeline's flags: every option of every stage. One that a single stage has goes by its own name (`--user-k`); one
 * that several have by the stage's too (`--sft-epochs`, `--sid-epochs`), and so do all of `compare` and `enrich`; `--seed` is everybody's.
 */
import { kebab } from '../options/flags.js';
import { boolean, integer, path, text } from '../options/kinds.js';
import type { Option, Options } from '../options/option.js';
import { allOptions } from '../options/schema.js';
import { PIPELINE_OPTIONS, STAGE_NAMES, STAGE_SCHEMAS, type StageName } from '../pipeline/pipeline-options.js';

/** A flag's option by its name in camel case, and the stages and option that it sets. */
export interface PipelineFlag {
  /** What its value must be. */
  option: Option;
  /** Empty for an option of the pipeline itself. */
  stages: readonly StageName[];
  /** Of the option in its stage. */
  name: string;
}

/** Stages that run only where the configuration names them; a flag of theirs names them too. */
const OWN_FLAG = {
  config: path('configuration file, one object a stage; flags beside it are in the place of what it says', {
    otherwise: 'none',
  }),
  grpo: boolean('reinforcement learning after fine-tuning'),
  strategies: boolean('choose strategies for the bad cases: OUT/round-2/optimized_config.json'),
  tasks: text('tasks of fine-tuning, as --sft-tasks', { otherwise: 'sids' }),
  seed: integer('fixes everything random in every stage, trained baselines among them', {
    default: 42,
    min: 0,
  }),
};

/** Stages whose options go by the stage's name always. */
const PREFIXED: readonly StageName[] = ['compare', 'enrich'];

const STAGES = STAGE_NAMES.filter((stage) => stage !== 'sample');

/** By the name in camel case that `parseFlags` gives. */
export function pipelineFlags(): Map<string, PipelineFlag> {
  const all = STAGES.flatMap((stage) =>
    Object.entries(allOptions(STAGE_SCHEMAS[stage])).flatMap(([name, option]) =>
      option.data && name !== 'seed' ? [{ stage, name, option }] : [],
    ),
  );
  const taken = new Set([...Object.keys(PIPELINE_OPTIONS), ...Object.keys(OWN_FLAG)]);
  const flags = new Map<string, PipelineFlag>();
  for (const { stage, name, option } of all) {
    const others = all.filter((other) => other.name === name && !PREFIXED.includes(other.stage));
    const shared = PREFIXED.includes(stage) || taken.has(name) || others.length > 1;
    flags.set(shared ? `${stage}${name[0]!.toUpperCase()}${name.slice(1)}` : name, { option, stages: [stage], name });
  }
  return flags;
}

/** Every flag as an option of the command. */
export function pipelineCommandOptions(): Options {
  const own = Object.fromEntries(
    Object.entries(PIPELINE_OPTIONS).map(([name, option]) => [name, { ...option, presence: 'optional' as const }]),
  );
  const stages = [...pipelineFlags()].map(
    ([flag, { option }]) => [flag, { ...option, presence: 'optional' as const }] as const,
  );
  return { ...OWN_FLAG, ...own, ...Object.fromEntries(stages) };
}

/** Flags that say more exactly which stage is meant: `learning-rate` -> `sft-learning-rate`, ... */
export function moreExact(flag: string): string[] {
  return [...pipelineFlags().keys()].map(kebab).filter((name) => name.endsWith(`-${flag}`));
}
