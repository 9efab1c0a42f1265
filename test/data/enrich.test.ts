/** Texts by a chat API, against a server of our own: what is asked, kept, asked again, refused, and what never leaves memory. */
import { mkdtempSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { enrich, enrichEstimate } from '../../lib/data/enrich/enrich.js';
import type { EnrichOptions } from '../../lib/data/enrich/enrich-options.js';
import { askChat } from '../../lib/data/enrich/chat-client.js';
import { enrichPrompt, fillPrompt } from '../../lib/data/enrich/enrich-prompts.js';
import { enrichedFields } from '../../lib/data/enrich/questions.js';
import { inParallel, rateLimit } from '../../lib/data/enrich/rate-limit.js';
import { INTER_HEADER } from '../../lib/data/inter-file.js';
import { readItems } from '../../lib/data/item-file.js';
import { setNoticeSink } from '../../lib/support/progress.js';
import { readPreferences } from '../../lib/tasks/preferences-file.js';

const KEY = 'sk-secret-of-the-test';
const FIELDS = { enhanced_title: 'Better', tags: ['t'], highlights: ['h'], characteristics: { size: 'L' } };

interface Asked {
  model: string;
  messages: { role: string; content: string }[];
  temperature: number;
  max_tokens: number;
}

let server: Server;
let base: string;
let asked: { body: Asked; headers: IncomingMessage['headers']; url: string }[] = [];
/** What the server does with the n-th request: a status, or a text. */
let reply: (
  n: number,
  body: Asked,
) => { status?: number; text?: string; raw?: string; headers?: Record<string, string> };
const notices: string[] = [];

beforeAll(async () => {
  process.env.SIDLAB_TEST_KEY = KEY;
  setNoticeSink((line) => void notices.push(line));
  server = createServer((request, response) => {
    let text = '';
    request.on('data', (part: Buffer) => (text += part.toString()));
    request.on('end', () => {
      const body = JSON.parse(text) as Asked;
      const n = asked.push({ body, headers: request.headers, url: request.url! });
      const { status = 200, text: content = '', raw, headers = {} } = reply(n, body);
      response.writeHead(status, { 'content-type': 'application/json', ...headers });
      const usage = { prompt_tokens: 10, completion_tokens: 5 };
      response.end(raw ?? JSON.stringify({ choices: [{ message: { content } }], usage }));
    });
  });
  await new Promise<void>((ready) => server.listen(0, '127.0.0.1', ready));
  base = `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`;
});
afterAll(() => {
  delete process.env.SIDLAB_TEST_KEY;
  setNoticeSink(undefined);
  server.close();
});
beforeEach(() => {
  asked = [];
  reply = () => ({ text: `Here you are: ${JSON.stringify(FIELDS)}` });
});

function folder(): string {
  const dir = mkdtempSync(join(tmpdir(), 'sidlab-enrich-'));
  const item = (i: number) => ({ title: `T${i} $&`, description: '', brand: 'B', categories: '', price: i });
  writeFileSync(join(dir, 'S.item.json'), JSON.stringify({ 0: item(0), 1: item(1), 2: item(2) }));
  const rows = { train: ['u0\t0\t1', 'u1\t0\t2', 'u0\t0 1\t2'], valid: ['u2\t2\t1'], test: ['u3\t0 1\t0'] };
  for (const [split, lines] of Object.entries(rows)) {
    writeFileSync(join(dir, `S.${split}.inter`), [INTER_HEADER, ...lines, ''].join('\n'));
  }
  return dir;
}
const options = (data: string, more: Partial<EnrichOptions> = {}): EnrichOptions => ({
  ...{ data, model: 'm', baseUrl: base, keyEnv: 'SIDLAB_TEST_KEY', requestsPerMinute: 1e6, retries: 2, concurrency: 2 },
  ...more,
});

describe('items', () => {
  test('get the four fields; the other fields and the texts stay, and the key is in no file', async () => {
    const data = folder();
    const before = readItems(join(data, 'S.item.json'));
    const report = await enrich(options(data));
    expect(report).toMatchObject({ requests: 3, cached: 0, answered: 3, failed: 0, usage: { input: 30, output: 15 } });
    const after = readItems(join(data, 'S.item.json'));
    expect(after).toEqual(before.map((item) => ({ ...item, extra: { ...item.extra, ...FIELDS } })));
    expect(asked[0]!.headers.authorization).toBe(`Bearer ${KEY}`);
    expect(asked[0]!.url).toBe('/v1/chat/completions');
    expect(asked[0]!.body).toMatchObject({ model: 'm', temperature: 0.4, max_tokens: 512 });
    expect(asked.map(({ body }) => /Title: (T\d \$&)/.exec(body.messages[1]!.content)![1]).sort()).toEqual([
      ...['T0 $&', 'T1 $&', 'T2 $&'],
    ]);
    expect(asked[0]!.body.messages[1]!.content).toContain('Description: unknown');
    for (const name of readdirSync(data)) expect(readFileSync(join(data, name), 'utf8'), name).not.toContain(KEY);
    expect(notices.at(-1)).toContain('enrich: 3 requests (0 answered before)');
  });

  test('what was answered is not asked again: after a stop, a cut line, or more items; another model is', async () => {
    const data = folder();
    await enrich(options(data, { limit: 2 }));
    const cache = join(data, 'S.enrich-items.jsonl');
    writeFileSync(cache, readFileSync(cache, 'utf8').slice(0, -20)); // killed while it wrote the second
    expect((await enrichEstimate(options(data))).requests).toBe(2);
    asked = [];
    expect(await enrich(options(data))).toMatchObject({ requests: 2, cached: 1, answered: 3 });
    expect(await enrich(options(data))).toMatchObject({ requests: 0, cached: 3, answered: 3 });
    expect(asked).toHaveLength(2);
    expect((await enrichEstimate(options(data, { model: 'other' }))).requests).toBe(3);
  });

  test('an answer that does not fit is asked for again, and counted where it never does', async () => {
    const data = folder();
    reply = (n, body) => ({
      text: body.messages[1]!.content.includes('T1') ? '{"tags": []}' : n < 2 ? 'no' : JSON.stringify(FIELDS),
    });
    expect(await enrich(options(data, { concurrency: 1 }))).toMatchObject({ answered: 2, failed: 1 });
    expect(asked).toHaveLength(2 + 3 + 1);
    expect(readItems(join(data, 'S.item.json')).map(({ extra }) => extra!.tags)).toEqual([['t'], undefined, ['t']]);
  });

  test('a stop by the API keeps what is there and leaves the item file alone', async () => {
    const data = folder();
    const before = readFileSync(join(data, 'S.item.json'), 'utf8');
    reply = (n) => (n === 1 ? { text: JSON.stringify(FIELDS) } : { status: 401, raw: '{"error": "bad key"}' });
    await expect(enrich(options(data, { concurrency: 1 }))).rejects.toThrow(
      'refused with 401: {"error": "bad key"}; check the key',
    );
    expect(readFileSync(join(data, 'S.item.json'), 'utf8')).toBe(before);
    expect((await enrichEstimate(options(data))).cached).toBe(1);
  });

  test('the estimate: tokens, cost, time; above --max-cost nothing is asked', async () => {
    const data = folder();
    const priced = options(data, { priceIn: 2, priceOut: 8, requestsPerMinute: 6, maxTokens: 100 });
    const estimate = await enrichEstimate(priced);
    const { system, user } = enrichPrompt('items');
    const filled = [0, 1, 2].map((i) =>
      fillPrompt({ system, user }, { title: `T${i} $&`, description: '', brand: 'B', categories: '' }),
    );
    const characters = filled.reduce((sum, prompt) => sum + prompt.system.length + prompt.user.length, 0);
    const inputTokens = Math.ceil(characters / 4);
    expect(estimate).toEqual({
      ...{ requests: 3, cached: 0, inputTokens, outputTokens: 300, minutes: 0.5 },
      cost: (2 * inputTokens + 8 * 300) / 1e6,
    });
    await expect(enrich({ ...priced, maxCost: 0.001 })).rejects.toThrow('expected a cost of at most 0.001');
    expect(asked).toHaveLength(0);
  });
});

test('preferences: one question a history, a line a row, read back by history and target', async () => {
  const data = folder();
  reply = (_, { messages }) => ({ text: `Likes\n ${/first: (.*)\./.exec(messages[1]!.content)![1]!}` });
  const report = await enrich(options(data, { what: 'preferences' }));
  expect(report).toMatchObject({ requests: 3, answered: 5, out: join(data, 'S.preferences.jsonl') });
  const of = readPreferences(report.out);
  expect([of([0], 1), of([0], 2), of([0, 1], 0), of([2], 1)]).toEqual([
    ...['Likes T0 $&', 'Likes T0 $&', 'Likes T0 $&; T1 $&', 'Likes T2 $&'],
  ]);
  for (const { body } of asked) expect(body.messages[1]!.content).not.toMatch(/T2.*T1|next/);
});

describe('the client', () => {
  const chat = { baseUrl: '', model: 'm', temperature: 0, maxTokens: 9, retries: 3, timeout: 5 };
  const waits: number[] = [];
  const ask = (retries = 3) =>
    askChat({ system: '', user: 'u' }, { ...chat, baseUrl: `${base}/`, retries }, async (ms) => void waits.push(ms));

  test('waits as long as it is told, else longer each time; no system message where there is none, no key', async () => {
    waits.length = 0;
    reply = (n) =>
      n === 1 ? { status: 429, headers: { 'retry-after': '7' } } : n < 4 ? { status: 503 } : { text: 'a' };
    expect(await ask()).toEqual({ text: 'a', usage: { input: 10, output: 5 } });
    expect(waits).toEqual([7000, 2000, 4000]);
    expect(asked[0]!.body.messages).toEqual([{ role: 'user', content: 'u' }]);
    expect(asked[0]!.headers.authorization).toBeUndefined();
  });

  test.each([
    [{ status: 500 }, 4, 'refused with 500'],
    [{ status: 400, raw: 'too\nlong' }, 1, 'refused with 400: too long'],
    [{ raw: '<html>' }, 1, 'expected a chat completion, got <html>; check --base-url'],
    [{ raw: '{"choices": []}' }, 1, 'expected a chat completion'],
  ])('%j', async (answer, requests, message) => {
    reply = () => answer;
    await expect(ask()).rejects.toThrow(message);
    expect(asked).toHaveLength(requests);
  });

  test('nobody there', async () => {
    const gone = createServer();
    await new Promise<void>((ready) => gone.listen(0, '127.0.0.1', ready));
    const { port } = gone.address() as AddressInfo;
    await new Promise<void>((ready) => void gone.close(() => ready()));
    const nobody = askChat({ system: '', user: 'u' }, { ...chat, baseUrl: `http://127.0.0.1:${port}`, retries: 0 });
    await expect(nobody).rejects.toThrow('no answer (ECONNREFUSED); check --base-url');
  });

  test('an address that is none is not asked again', async () => {
    const waits: number[] = [];
    const pause = (milliseconds: number) => Promise.resolve(waits.push(milliseconds));
    const none = askChat({ system: '', user: 'u' }, { ...chat, baseUrl: 'api.example.com/v1', retries: 3 }, pause);
    await expect(none).rejects.toThrow('no answer (ERR_INVALID_URL); check --base-url');
    expect(waits).toEqual([]);
  });
});

test('without a key OpenAI is not asked', async () => {
  const { baseUrl: _, ...others } = options(folder());
  const saved = process.env.OPENAI_BASE_URL;
  delete process.env.OPENAI_BASE_URL;
  await expect(enrich({ ...others, keyEnv: 'SIDLAB_NO_KEY' })).rejects.toThrow('environment variable SIDLAB_NO_KEY');
  if (saved !== undefined) process.env.OPENAI_BASE_URL = saved;
});

test('requests start evenly, however many ask at once', async () => {
  let now = 0;
  const starts: number[] = [];
  const turn = rateLimit(120, { now: () => now, sleep: async (ms) => void starts.push(now + ms) });
  await Promise.all([turn(), turn(), turn()]);
  expect(starts).toEqual([500, 1000]);
  now = 5000;
  await turn();
  expect(starts).toHaveLength(2); // long ago: no wait
});

test('in parallel: each once, so many at once, none after a failure or a stop', async () => {
  let [now, most] = [0, 0];
  const seen: number[] = [];
  const work = async (i: number) => {
    most = Math.max(most, ++now);
    await Promise.resolve();
    seen.push(i);
    now--;
    if (i === 5) throw new Error('five');
  };
  await expect(inParallel([0, 1, 2, 3, 4, 5, 6, 7, 8, 9], 2, work)).rejects.toThrow('five');
  expect(most).toBe(2);
  expect(seen).toEqual([...new Set(seen)]);
  expect(seen.length).toBeLessThan(9);
  seen.length = 0;
  await inParallel([1, 2, 3], 1, work, () => seen.length === 2);
  expect(seen).toEqual([1, 2]);
});

test.each([
  ['{}', undefined],
  [JSON.stringify({ ...FIELDS, tags: '' }), undefined],
  [JSON.stringify({ ...FIELDS, more: 1 }), FIELDS],
  [`\`\`\`json\n${JSON.stringify(FIELDS)}\n\`\`\``, FIELDS],
  ['nothing', undefined],
])('fields in %j', (answer, fields) => expect(enrichedFields(answer)).toEqual(fields));

test('prompts of a file', () => {
  const file = join(folder(), 'p.json');
  writeFileSync(file, JSON.stringify({ items: { user: 'Say {title}' } }));
  expect(enrichPrompt('items', file)).toEqual({ system: '', user: 'Say {title}' });
  expect(() => enrichPrompt('preferences', file)).toThrow('preferences: expected {system: text, user: text}');
  writeFileSync(file, JSON.stringify({ items: { user: 'Say {price}' } }));
  expect(() => enrichPrompt('items', file)).toThrow(
    'expected places among title, description, brand, categories, got price',
  );
  writeFileSync(file, JSON.stringify({ items: { user: 'Say' } }));
  expect(() => enrichPrompt('items', file)).toThrow('got none');
});
