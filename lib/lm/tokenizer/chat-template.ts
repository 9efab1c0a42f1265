/**
 * The chat template of an instruct model: what its folder says a conversation looks like, in Jinja
 * (`chat_template.jinja`, or `chat_template` of `tokenizer_config.json`), rendered by `@huggingface/jinja` as Python's
 * `apply_chat_template(..., add_generation_prompt=True)` does.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { Template } from '@huggingface/jinja';
import { readJson, readText } from '../../files/files.js';
import { InputError } from '../../support/errors.js';

export interface ChatTemplate {
  /** A conversation of one user's message, up to where the answer begins. */
  wrap(message: string): string;
}

/** @throws InputError if the folder has no chat template, or one that does not parse */
export function loadChatTemplate(folder: string): ChatTemplate {
  const file = join(folder, 'tokenizer_config.json');
  const config = existsSync(file) ? readJson<TokenizerConfig>(file) : {};
  const own = join(folder, 'chat_template.jinja');
  const source = existsSync(own) ? readText(own) : namedTemplate(config);
  if (source === undefined) {
    throw new InputError(`--chat-template: ${folder} has no chat template; leave the flag out, or take another model`);
  }
  return parseChatTemplate(source, folder, {
    bos_token: tokenText(config.bos_token),
    eos_token: tokenText(config.eos_token),
  });
}

/** @param variables `bos_token` and `eos_token`, which templates may name */
export function parseChatTemplate(source: string, where: string, variables: Record<string, string> = {}): ChatTemplate {
  const guarded = <T>(work: () => T): T => {
    try {
      return work();
    } catch (error) {
      throw new InputError(`${where}: the chat template does not work: ${(error as Error).message.split('\n')[0]}`);
    }
  };
  const template = guarded(() => new Template(source));
  const wrap = (content: string): string =>
    template.render({ messages: [{ role: 'user', content }], add_generation_prompt: true, ...variables });
  guarded(() => wrap('a message'));
  return { wrap };
}

interface TokenizerConfig {
  /** One template, or several by name. */
  chat_template?: string | { name: string; template: string }[];
  bos_token?: string | { content: string } | null;
  eos_token?: string | { content: string } | null;
}

function namedTemplate({ chat_template: given }: TokenizerConfig): string | undefined {
  return Array.isArray(given) ? given.find(({ name }) => name === 'default')?.template : given;
}

function tokenText(token: string | { content: string } | null | undefined): string {
  return typeof token === 'string' ? token : (token?.content ?? '');
}
