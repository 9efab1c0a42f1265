/**
 * How a sentence encoder's own configuration says that token vectors become one vector.
 *
 * Follows sentence-transformers' files: `modules.json` (the chain of modules), `1_Pooling/config.json` (the old keys
 * `pooling_mode_mean_tokens: true` and the new one `pooling_mode: "mean"`), `sentence_bert_config.json` (longest text).
 * Departures:
 *   1. three poolings: mean, cls, last; what else a model asks for is an error that names `--pooling`;
 *   2. a module after pooling other than Normalize (a Dense layer) is an error: its weights are not in the ONNX file,
 *      and vectors without it would be another model's;
 *   3. a folder without these files is pooled by the mean, the reference's way, and not scaled;
 *   4. prompts of `config_sentence_transformers.json` are for queries; items are documents, encoded as they are.
 */
import { InputError } from '../../support/errors.js';
import { type Pooling, POOLINGS } from '../embed-options.js';
import { smallest } from '../../support/extremes.js';

/** How an encoder's token vectors become the vector of a text. */
export interface EncoderConfig {
  /** Which tokens' vectors make the text's. */
  pooling: Pooling;
  /** Vectors scaled to length 1. */
  normalize: boolean;
  /** Longest text in tokens that the model takes; Infinity where nothing says so. */
  maxTokens: number;
}

/** One of a model's small JSON files, parsed; undefined where the model has none. */
export type ReadModelJson = (file: string) => Promise<unknown>;

type Json = Record<string, unknown>;

/**
 * @param pooling in place of the model's own
 * @throws InputError for a pooling or a module that we do not have, and for files that say nothing sensible
 */
export async function readEncoderConfig(name: string, read: ReadModelJson, pooling?: Pooling): Promise<EncoderConfig> {
  if (pooling !== undefined && !POOLINGS.includes(pooling)) {
    throw new InputError(`embed: expected --pooling ${POOLINGS.join(', ')}, got ${String(pooling)}`);
  }
  const modules = (await read('modules.json')) ?? [];
  if (!Array.isArray(modules)) throw new InputError(`${name}/modules.json: expected a list; fetch the model again`);
  let [folder, normalize] = ['1_Pooling', false];
  for (const module of modules as Json[]) {
    const [type, path] = [String(module?.type).split('.').at(-1)!, String(module?.path ?? '')];
    if (type === 'Pooling') folder = path;
    else if (type === 'Normalize') normalize = true;
    else if (type !== 'Transformer') {
      throw new InputError(
        `${name}: its module ${type} is not in the ONNX file; expected Transformer, Pooling, Normalize`,
      );
    }
  }
  const own = pooling ?? poolingOf(name, (await read(`${folder}/config.json`)) as Json | undefined);
  return { pooling: own, normalize, maxTokens: await longest(read) };
}

function poolingOf(name: string, config: Json | undefined): Pooling {
  if (config === undefined) return 'mean';
  const asked =
    config.pooling_mode ?? Object.keys(config).filter((key) => key.startsWith('pooling_mode_') && config[key]);
  const modes = (Array.isArray(asked) ? asked : [asked]).map((mode) => String(mode).replace(/^pooling_mode_/, ''));
  if (modes.length === 0) return 'mean';
  const pooling = modes.length === 1 ? NAMES[modes[0]!] : undefined;
  if (pooling === undefined) {
    throw new InputError(
      `${name}: its pooling ${modes.join(' + ')} is not known here; choose --pooling ${POOLINGS.join('|')}`,
    );
  }
  return pooling;
}

const NAMES: Record<string, Pooling> = {
  ...{ mean: 'mean', mean_tokens: 'mean', cls: 'cls', cls_token: 'cls', last: 'last', lasttoken: 'last' },
};

/** The smallest of what the model's files allow; huge numbers (1e30) mean "no limit". */
async function longest(read: ReadModelJson): Promise<number> {
  const bert = (await read('sentence_bert_config.json')) as Json | undefined;
  const tokenizer = (await read('tokenizer_config.json')) as Json | undefined;
  const model = (await read('config.json')) as Json | undefined;
  const said = [bert?.max_seq_length, tokenizer?.model_max_length, positions(model)];
  return smallest(said.map((n) => (typeof n === 'number' && n > 0 && n < 1e9 ? n : Infinity)));
}

/** RoBERTa's family counts positions from `pad_token_id + 1`. */
function positions(model: Json | undefined): unknown {
  const { max_position_embeddings: all, model_type: type, pad_token_id: pad } = model ?? {};
  const shifted = typeof type === 'string' && /roberta|camembert|mpnet/.test(type);
  return shifted && typeof all === 'number' ? all - (typeof pad === 'number' ? pad : 1) - 1 : all;
}
