/**
 * The flags of the commands: the field's names in kebab case, each with one meaning everywhere.
 */
import { parseArgs } from 'node:util';
import { InputError } from '../support/errors.js';

type Kind = 'text' | 'number' | 'integer' | 'integers' | 'switch';

interface Flag {
  kind: Kind;
  /** Meaning and default, for `--help`. */
  help: string;
}

export const FLAGS = {
  reviews: { kind: 'text', help: 'interactions in any raw format, plain or gzip' },
  meta: { kind: 'text', help: 'item texts, likewise (none: titles are placeholders)' },
  format: { kind: 'text', help: 'amazon-2014, -2018, -2023, movielens, recbole, inter-json, csv, parquet (told)' },
  columns: { kind: 'text', help: 'of csv and parquet: user=customer,item=sku,time=bought_at' },
  out: { kind: 'text', help: 'folder to write to' },
  dataset: { kind: 'text', help: "NAME of the folder's files" },
  config: { kind: 'text', help: 'configuration file, one object a stage' },
  data: { kind: 'text', help: 'data folder, as filter writes it' },
  index: { kind: 'text', help: 'index file (NAME.index.json)' },
  results: { kind: 'text', help: 'results.jsonl' },
  run: { kind: 'text', help: "the run's folder (pipeline: the runs' name)" },
  size: { kind: 'text', help: 'tiny or small (default)' },
  'user-k': { kind: 'integer', help: 'interactions of a user at least (5)' },
  'item-k': { kind: 'integer', help: 'interactions of an item at least (5)' },
  from: { kind: 'text', help: 'first month, or any (1996-10; of other formats than Amazon 2014 and 2018 any)' },
  to: { kind: 'text', help: 'last month, included, or any (2018-10; likewise)' },
  'min-items': { kind: 'integer', help: 'move the first month back by years until so many items are left (0: never)' },
  window: { kind: 'integer', help: 'items of a history at most (10; leave-one-out 20)' },
  split: { kind: 'text', help: 'chronological (default) or leave-one-out; of evaluate: test (default) or valid' },
  'title-words': { kind: 'integer', help: 'longer titles are dropped (20)' },
  encoder: {
    kind: 'text',
    help: 'lsa (default), a folder with an ONNX sentence encoder, or its id on the model hub; of generate: none',
  },
  pooling: { kind: 'text', help: "mean, cls or last (the model's own)" },
  'cutoff-len': {
    kind: 'integer',
    help: "tokens of a prompt at most (512; embed: of a text, 2048 or the model's own)",
  },
  width: { kind: 'integer', help: "the vectors' width (384, less for few items)" },
  embeddings: { kind: 'text', help: '.npy file of item vectors' },
  method: { kind: 'text', help: 'rqkmeans (default), rqkmeans-constrained, rqvae or rqkmeans-plus' },
  levels: { kind: 'integer', help: 'codes in a SID (3)' },
  'codebook-size': { kind: 'integers', help: 'codes a level (256), or one number a level: 64,256,256' },
  collisions: { kind: 'text', help: 'reassign (default), rank (default of rqkmeans-constrained) or keep' },
  'cluster-size': { kind: 'integers', help: 'items a code at least and at most: 13,15 (rqkmeans-constrained)' },
  starts: { kind: 'integer', help: 'starts of a level, the best is kept (3, rqkmeans-constrained)' },
  uniform: { kind: 'switch', help: 'deal the items of a level out evenly (rqkmeans)' },
  hidden: { kind: 'integers', help: "widths of the encoder's hidden layers (2048,1024,512,256,128,64; rqvae)" },
  latent: { kind: 'integer', help: 'width of the latent (32, rqvae)' },
  'warmup-epochs': { kind: 'integer', help: 'epochs of linear rise (rqvae, rqkmeans-plus)' },
  best: { kind: 'text', help: 'which epoch is taken: loss (default), collision, utilisation or last (rqvae)' },
  'start-index': { kind: 'text', help: 'index of rqkmeans-constrained to start from (rqkmeans-plus)' },
  category: { kind: 'text', help: 'field of the item file: categories (default) or brand (where there are none)' },
  limits: { kind: 'text', help: 'JSON file of limits; the command fails where one is not kept' },
  extend: { kind: 'switch', help: 'keep the index, and give SIDs to items beyond its last from the saved codebooks' },
  model: { kind: 'text', help: 'model folder, or a shape such as qwen2:128x4 (sft)' },
  template: { kind: 'text', help: 'task and its wordings: sids (default), words, seqrec ... (evaluate: as trained)' },
  tasks: {
    kind: 'text',
    help: 'mix of tasks: sids,title2sid:0.5,sid2title:n=5000 (weight, examples at most, row, chain)',
  },
  'data-ratio': { kind: 'number', help: "share of every task's examples (1)" },
  mode: { kind: 'text', help: 'chain (default of sids: loss at every item of a history) or row' },
  'sid-tokens': { kind: 'text', help: 'SIDs in new tokens (new, default) or spelled in the ones there are (subwords)' },
  'sid-vocabulary': { kind: 'text', help: 'SID tokens that join: used (default) or all codes of every level' },
  init: { kind: 'text', help: "rows of new tokens: mean (default), or from the words of their items' titles (title)" },
  'vocab-size': { kind: 'integer', help: 'subwords that a model from random weights learns for texts (8192)' },
  epochs: { kind: 'number', help: 'passes over the training rows' },
  'sft-epochs': { kind: 'number', help: 'passes of sft over the training rows (30)' },
  'sid-epochs': { kind: 'integer', help: 'rounds of k-means (100)' },
  'learning-rate': { kind: 'number', help: 'peak learning rate' },
  schedule: { kind: 'text', help: 'constant, linear or cosine (default)' },
  'warmup-steps': { kind: 'integer', help: 'steps of linear rise' },
  'warmup-ratio': { kind: 'number', help: 'share of all updates that rise linearly, in place of --warmup-steps (0)' },
  'dry-run': { kind: 'switch', help: 'say what it would take, and stop' },
  metric: { kind: 'text', help: 'validation figure of the curves, such as HR@10 (NDCG@10)' },
  x: { kind: 'text', help: 'horizontal axis of the curves: step (default), tokens or seconds' },
  optimizer: { kind: 'text', help: "adamw (default) or muon (the layers' matrices; AdamW for the rest)" },
  'muon-scale': { kind: 'text', help: "rms (default, at AdamW's rate) or spectral" },
  'batch-tokens': { kind: 'integer', help: 'tokens an update, in place of --batch-size (0: by examples)' },
  'best-metric': { kind: 'text', help: 'validation figure that chooses the model (NDCG@10), such as HR@10 or loss' },
  keep: { kind: 'integer', help: 'checkpoints kept while training; more than one stay (1)' },
  'keep-last': { kind: 'switch', help: "keep the last step's model too, in last/" },
  'batch-size': {
    kind: 'integer',
    help: 'examples an update (32), of grpo prompts (64), of embed and generate texts at once (64)',
  },
  'token-budget': {
    kind: 'integer',
    help: 'tokens through the model at once (8192, of embed 2048, of generate 16384)',
  },
  'layer-checkpointing': {
    kind: 'switch',
    help: "keep each layer's input alone, compute the layer again for its gradient: less memory, a third more time",
  },
  lora: { kind: 'switch', help: 'adapters of low rank learn in place of the matrices; saved in the format of peft' },
  'lora-rank': { kind: 'integer', help: 'rank of the adapters (32)' },
  'lora-alpha': { kind: 'number', help: 'adapters are scaled by alpha / rank (32)' },
  'lora-dropout': { kind: 'number', help: 'share of what an adapter sees set to zero while training (0.05)' },
  'lora-targets': { kind: 'text', help: 'matrices with an adapter (q,k,v,o,gate,up,down)' },
  'lora-modules': { kind: 'text', help: 'trained whole beside them (embed_tokens,lm_head), or none' },
  'lora-rslora': { kind: 'switch', help: 'scale by alpha / sqrt(rank)' },
  freeze: { kind: 'text', help: 'what stands: none (default), all-but-new-rows, embeddings or all-but-embeddings' },
  adapter: { kind: 'text', help: "folder of an adapter, in peft's format" },
  dropout: { kind: 'number', help: 'share set to zero while training (0.3)' },
  'weight-decay': { kind: 'number', help: 'of AdamW (0.01)' },
  'valid-rows': { kind: 'integer', help: 'validation rows that are ranked (500)' },
  'eval-epochs': { kind: 'number', help: 'epochs between validations (2)' },
  'eval-steps': { kind: 'integer', help: 'updates between validations (10; of sft 0: by --eval-epochs)' },
  patience: { kind: 'integer', help: 'stop after so many validations without a better one (0: never)' },
  'num-generations': { kind: 'integer', help: 'beams a prompt in grpo (16)' },
  beta: { kind: 'number', help: 'weight of the KL term (0.001)' },
  reward: { kind: 'text', help: 'ranking (default) or rule' },
  'sample-size': { kind: 'integer', help: 'training rows that grpo draws (0: all)' },
  'num-beams': { kind: 'integer', help: 'beams, and items a row (50; of generate 0: one text)' },
  normalize: { kind: 'text', help: 'log-probabilities over the full vocabulary (default) or the legal tokens' },
  'shuffle-histories': { kind: 'integer', help: 'a control: deal the histories to the wrong rows, by this seed' },
  'top-k': { kind: 'integer', help: 'a row fails whose item is not among the first so many (10)' },
  task: { kind: 'text', help: 'what is asked: the name of a template, such as index2item or sid2title' },
  templates: { kind: 'text', help: "JSON file of templates, added to the kit's own" },
  'chat-template': { kind: 'switch', help: "wrap prompts in the model's chat template" },
  limit: { kind: 'integer', help: 'the first so many examples (0: all)' },
  temperature: { kind: 'number', help: 'of sampling; 0 takes the likeliest token (0)' },
  'top-p': { kind: 'number', help: 'sample from the fewest best tokens with this probability (1: all)' },
  'max-tokens': { kind: 'integer', help: 'tokens of a text at most (128; of a SID its own)' },
  seed: { kind: 'integer', help: 'one number fixes everything random (42)' },
  json: { kind: 'switch', help: 'one JSON object on standard output' },
  help: { kind: 'switch', help: 'this text' },
} as const satisfies Record<string, Flag>;

export type FlagName = keyof typeof FLAGS;
export type FlagValues = Partial<Record<string, string | number | number[] | boolean>>;

/**
 * The values that were given, by their names in camel case.
 * @throws InputError for a flag that the command does not know, or a value of another kind
 */
export function parseFlags(
  command: string,
  args: string[],
  known: readonly FlagName[],
): { values: FlagValues; rest: string[] } {
  const all: readonly FlagName[] = [...known, 'json', 'help'];
  const options = Object.fromEntries(
    all.map((name) => [name, { type: FLAGS[name].kind === 'switch' ? ('boolean' as const) : ('string' as const) }]),
  );
  try {
    const { values, positionals } = parseArgs({ args, options, allowPositionals: true });
    const parsed = Object.entries(values).map(([name, value]) => [
      camel(name),
      parse(name as FlagName, value as string),
    ]);
    return { values: Object.fromEntries(parsed) as FlagValues, rest: positionals };
  } catch (error) {
    if (error instanceof InputError) throw error;
    const message = (error as Error).message.split('. ')[0]!;
    throw new InputError(`${command}: ${message}; sidlab ${command} --help names the flags`);
  }
}

function parse(name: FlagName, value: string | boolean): string | number | number[] | boolean {
  const { kind } = FLAGS[name];
  const wrong = (what: string): InputError => new InputError(`--${name}: expected ${what}, got ${String(value)}`);
  switch (kind) {
    case 'switch':
      return value;
    case 'text':
      if (value === '') throw wrong('a text');
      return value;
    case 'number':
    case 'integer': {
      const number = value === '' ? NaN : Number(value);
      if (!Number.isFinite(number) || (kind === 'integer' && !Number.isInteger(number))) {
        throw wrong(kind === 'integer' ? 'a whole number' : 'a number');
      }
      return number;
    }
    case 'integers': {
      const numbers = String(value).split(',').map(Number);
      if (!numbers.every((number) => Number.isInteger(number) && number > 0)) throw wrong('positive whole numbers');
      return numbers.length === 1 ? numbers[0]! : numbers;
    }
    default:
      throw new Error(`flags: unknown kind ${kind satisfies never}`);
  }
}

/** `num-beams` -> `numBeams` */
function camel(name: string): string {
  return name.replace(/-(\w)/g, (_, letter: string) => letter.toUpperCase());
}
