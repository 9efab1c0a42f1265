/**
 * A chat API of OpenAI's form (`POST BASE/chat/completions`), as OpenAI, DeepSeek, vLLM, llama.cpp and others serve it.
 *
 * A refusal that may pass (429, 5xx, a broken connection) is tried again, after what `Retry-After` says, else after 1, 2,
 * 4, ... seconds. The key goes into a header and nowhere else: no file and no message holds it.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { InputError } from '../../support/errors.js';
import type { EnrichPrompt } from './enrich-prompts.js';

/** Where and how to ask. */
export interface ChatOptions {
  /** Address up to and without `/chat/completions`. */
  baseUrl: string;
  /** Name of the model. */
  model: string;
  /** Of sampling. */
  temperature: number;
  /** Tokens of an answer at most. */
  maxTokens: number;
  /** Tries of a request that was refused. */
  retries: number;
  /** Seconds until a request is given up. */
  timeout: number;
  /** Value of the key; none for a server that asks for none. */
  key?: string;
}

/** An answer, and what it took. */
export interface ChatAnswer {
  text: string;
  /** As the server counts them; 0 where it does not. */
  usage: { input: number; output: number };
}

/** @param pause waits so many milliseconds, tests their own way @throws InputError for a refusal that lasts */
export async function askChat(
  prompt: EnrichPrompt,
  options: ChatOptions,
  pause: (milliseconds: number) => Promise<unknown> = sleep,
): Promise<ChatAnswer> {
  const { retries } = options;
  for (let attempt = 0; ; attempt++) {
    const answer = await request(prompt, options);
    if ('text' in answer) return answer;
    if (!answer.again || attempt >= retries) throw new InputError(`enrich: ${options.baseUrl}: ${answer.why}`);
    await pause(answer.wait ?? 1000 * 2 ** Math.min(attempt, 6));
  }
}

interface Refusal {
  why: string;
  again: boolean;
  wait?: number;
}

async function request(prompt: EnrichPrompt, options: ChatOptions): Promise<ChatAnswer | Refusal> {
  const { baseUrl, model, temperature, maxTokens, timeout, key } = options;
  const messages = [
    ...(prompt.system === '' ? [] : [{ role: 'system', content: prompt.system }]),
    { role: 'user', content: prompt.user },
  ];
  let response: Response;
  let body: string;
  try {
    response = await fetch(`${baseUrl.replace(/\/+$/, '')}/chat/completions`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...(key !== undefined && { authorization: `Bearer ${key}` }) },
      body: JSON.stringify({ model, messages, temperature, max_tokens: maxTokens, stream: false }),
      signal: AbortSignal.timeout(1000 * timeout),
    });
    body = await response.text();
  } catch (error) {
    const { message, cause } = error as Error & { cause?: { code?: string } };
    return { why: `no answer (${cause?.code ?? message}); check --base-url`, again: cause?.code !== 'ERR_INVALID_URL' };
  }
  if (!response.ok) return refusal(response, body);
  return answerOf(body) ?? { why: `expected a chat completion, got ${oneLine(body)}; check --base-url`, again: false };
}

function refusal({ status, headers }: Response, body: string): Refusal {
  const after = Number(headers.get('retry-after') ?? NaN);
  const mend = status === 401 || status === 403 ? '; check the key (--key-env)' : '';
  return {
    why: `refused with ${status}: ${oneLine(body)}${mend}`,
    again: status === 429 || status >= 500,
    ...(after >= 0 && { wait: 1000 * Math.min(after, 600) }),
  };
}

function answerOf(body: string): ChatAnswer | undefined {
  try {
    const { choices, usage } = JSON.parse(body) as {
      choices?: { message?: { content?: unknown } }[];
      usage?: { prompt_tokens?: number; completion_tokens?: number };
    };
    const text = choices?.[0]?.message?.content;
    if (typeof text !== 'string') return undefined;
    return { text, usage: { input: usage?.prompt_tokens ?? 0, output: usage?.completion_tokens ?? 0 } };
  } catch {
    return undefined;
  }
}

function oneLine(text: string): string {
  return text.replace(/\s+/g, ' ').trim().slice(0, 200);
}
