/**
 * The chat template of an instruct model: what its folder says a conversation looks like, in Jinja
 * (`chat_template.jinja`, or `chat_template` of `tokenizer_config.json`), rendered by `@huggingface/jinja` as Python's
 * `apply_chat_template(..., add_generation_prompt=True)` does. Departures:
 *   1. a template that asks for today's date (Llama 3's `strftime_now`) is given 26 July 2024, the date that Llama 3's
 *      templates fall back to themselves: a model trained today reads the same prompts tomorrow;
 *   2. `{% break %}` and `{% continue %}` are refused: that library loses the text that a loop's turn had written.
 */
import { Template } from '@huggingface/jinja';
import { InputError } from '../../support/errors.js';
import { tokenizerJson, tokenizerText } from './tokenizer-text.js';

/** Wraps a prompt as a model's conversation. */
export interface ChatTemplate {
  /** A conversation of one user's message, up to where the answer begins. */
  wrap(message: string): string;
}

/** @param folder or GGUF file @throws InputError if it has no chat template, or one that does not parse or cannot be rendered right */
export function loadChatTemplate(folder: string): ChatTemplate {
  const config = tokenizerJson<TokenizerConfig>(folder, 'tokenizer_config.json') ?? {};
  const source = tokenizerText(folder, 'chat_template.jinja') ?? namedTemplate(config);
  if (source === undefined) {
    throw new InputError(`--chat-template: ${folder} has no chat template; leave the flag out, or take another model`);
  }
  return parseChatTemplate(source, folder, {
    bos_token: tokenText(config.bos_token),
    eos_token: tokenText(config.eos_token),
  });
}

/**
 * @param source in Jinja @param where for the error's text
 * @param variables `bos_token` and `eos_token`, which templates may name
 * @throws InputError for a template that does not parse, fails on a message, or leaves a loop early
 */
export function parseChatTemplate(source: string, where: string, variables: Record<string, string> = {}): ChatTemplate {
  const guarded = <T>(work: () => T): T => {
    try {
      return work();
    } catch (error) {
      throw new InputError(`${where}: the chat template does not work: ${(error as Error).message.split('\n')[0]}`);
    }
  };
  const template = guarded(() => new Template(source));
  guarded(() => adapt(template.parsed));
  const wrap = (content: string): string =>
    template.render({
      messages: [{ role: 'user', content }],
      add_generation_prompt: true,
      [FIXED_DATE]: fixedDate,
      ...variables,
    });
  guarded(() => wrap('a message'));
  return { wrap };
}

/** Name under which templates find the fixed date; the library does not let its own `strftime_now` be replaced. */
const FIXED_DATE = 'sidlab_fixed_date';

/** Walks a parsed template: today's date becomes the fixed one. @throws Error for a loop that is left early */
function adapt(node: unknown): void {
  if (typeof node !== 'object' || node === null) return;
  if (node instanceof Map)
    return void [...(node as Map<unknown, unknown>)].forEach(([key, value]) => adapt([key, value]));
  const { type, value } = node as { type?: string; value?: unknown };
  if (type === 'Break' || type === 'Continue') {
    const tag = `{% ${type.toLowerCase()} %}`;
    throw new Error(`${tag} would lose text here; write the loop with {% if %} (in chat_template.jinja)`);
  }
  if (type === 'Identifier' && value === 'strftime_now') (node as { value: string }).value = FIXED_DATE;
  Object.values(node).forEach(adapt);
}

const MONTHS = 'January February March April May June July August September October November December'.split(' ');
const DAYS = 'Sunday Monday Tuesday Wednesday Thursday Friday Saturday'.split(' ');

/** Friday, 26 July 2024, noon. */
const DATE = { year: 2024, month: 7, day: 26, weekday: 5, ofYear: 208, hour: 12 };

/**
 * Python's `strftime` of the fixed date, in English.
 * @throws Error for a code that is not known
 * @example fixedDate('%d %b %Y') // '26 Jul 2024'
 */
function fixedDate(format: string): string {
  const { year, month, day, weekday, ofYear, hour } = DATE;
  const two = (n: number): string => String(n).padStart(2, '0');
  const codes: Record<string, string> = {
    ...{ Y: String(year), y: two(year % 100), m: two(month), d: two(day), e: String(day), j: String(ofYear) },
    ...{ B: MONTHS[month - 1]!, b: MONTHS[month - 1]!.slice(0, 3), A: DAYS[weekday]!, a: DAYS[weekday]!.slice(0, 3) },
    ...{ H: two(hour), I: two(hour), M: '00', S: '00', p: 'PM', Z: 'UTC', z: '+0000', '%': '%' },
    ...{ F: `${year}-${two(month)}-${two(day)}`, T: `${two(hour)}:00:00` },
  };
  return format.replace(/%-?(.)/g, (all, code: string) => {
    const text = codes[code];
    if (text === undefined) throw new Error(`strftime_now: ${all} is not known`);
    return all.startsWith('%-') ? text.replace(/^0/, '') : text;
  });
}

interface TokenizerConfig {
  /** One template, or several by name. */
  chat_template?: string | ({ name: string; template: string } | null)[];
  bos_token?: string | { content: string } | null;
  eos_token?: string | { content: string } | null;
}

function namedTemplate({ chat_template: given }: TokenizerConfig): string | undefined {
  return Array.isArray(given) ? given.find((of) => of?.name === 'default')?.template : given;
}

function tokenText(token: string | { content: string } | null | undefined): string {
  return typeof token === 'string' ? token : (token?.content ?? '');
}
