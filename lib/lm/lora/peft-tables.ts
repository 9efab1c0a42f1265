/**
 * The embedding table and the output layer of an adapter's file: whole, or rows of them, or neither.
 *
 * PEFT makes two tables of a tied one as soon as one of them is trained; so a base whose embeddings are tied may come
 * out untied. Where both are the same bits, they stay one.
 */
import type { NamedArray, SafetensorsFile } from '../../files/safetensors.js';
import { InputError } from '../../support/errors.js';
import { weightArray } from '../model-files.js';
import type { LanguageModel } from '../language-model.js';
import { EMBEDDING, OUTPUT } from '../weight-names.js';
import { LORA_MODULES, type LoraModule } from './lora-options.js';
import type { AdapterConfig } from './peft-config.js';
import { largest } from '../../support/extremes.js';

/** Names under which an adapter's file holds a table: as trained, as resized, as wrapped; the first that is there counts. */
function wholeKeys(module: LoraModule): string[] {
  const name = LORA_MODULES[module].replace(/\.weight$/, '');
  return ['modules_to_save.weight', 'weight', 'token_adapter.base_layer.weight'].map((end) =>
    tensorKey(`${name}.${end}`),
  );
}

/** Name of the rows that were trained alone. */
export function tokenRowsKey(module: LoraModule): string {
  return tensorKey(LORA_MODULES[module].replace(/weight$/, 'token_adapter.trainable_tokens_delta'));
}

/** Name of a weight in an adapter's file. */
export function tensorKey(name: string): string {
  return `base_model.model.${name}`;
}

/** Whether a tensor of an adapter's file is of a table; what it was before training counts too. */
export function isTableKey(key: string): boolean {
  return (Object.keys(LORA_MODULES) as LoraModule[]).some((module) => {
    const before = tensorKey(LORA_MODULES[module].replace(/weight$/, 'original_module.weight'));
    return [...wholeKeys(module), tokenRowsKey(module), before].includes(key);
  });
}

/**
 * The tables that differ from the base's, by their names; `output` is left out where the tables are (and stay) one.
 * @throws InputError if a table is of another width or has fewer rows than the base's
 */
export function readTables(
  file: SafetensorsFile,
  base: LanguageModel,
  { lora, rows }: AdapterConfig,
): Map<string, NamedArray> {
  const of = (name: string) => (): NamedArray => weightArray(base, name);
  const { tied } = base.config;
  const embedding = readTable(file, 'embed_tokens', rows.embed_tokens, of(EMBEDDING));
  const output = readTable(
    file,
    'lm_head',
    rows.lm_head ?? (tied ? rows.embed_tokens : undefined),
    of(tied ? EMBEDDING : OUTPUT),
  );
  if (!tied) return checked(embedding, output, base, file.path);
  // a tied table that was trained whole under one name alone stays the base's under the other
  const other = output ?? (lora.modules.includes('embed_tokens') ? of(EMBEDDING)() : undefined);
  const first = embedding ?? (other && of(EMBEDDING)());
  return checked(first, first && other && same(first, other) ? undefined : other, base, file.path);
}

function readTable(
  file: SafetensorsFile,
  module: LoraModule,
  rows: readonly number[] | undefined,
  base: () => NamedArray,
): NamedArray | undefined {
  const key = wholeKeys(module).find((name) => file.names.includes(name));
  const whole = key === undefined ? undefined : file.read(key);
  if (!file.names.includes(tokenRowsKey(module))) return whole;
  const trained = file.read(tokenRowsKey(module));
  const table = whole ?? base();
  const width = table.shape[1]!;
  if (!rows || trained.shape.join() !== [rows.length, width].join()) {
    throw new InputError(
      `${file.path}: expected ${tokenRowsKey(module)} of [${rows?.length ?? 0}, ${width}], as adapter_config.json says, got [${trained.shape.join(', ')}]`,
    );
  }
  return withRows(table, rows, trained.data);
}

/** The table with some of its rows replaced; it grows where they lie beyond its end. */
function withRows({ shape, data }: NamedArray, rows: readonly number[], values: Float32Array): NamedArray {
  const [count, width] = shape as [number, number];
  const grown = largest(
    rows.map((row) => row + 1),
    count,
  );
  const table = new Float32Array(grown * width);
  table.set(data);
  rows.forEach((row, i) => table.set(values.subarray(i * width, (i + 1) * width), row * width));
  return { shape: [grown, width], data: table };
}

function same(a: NamedArray, b: NamedArray): boolean {
  return a.shape.join() === b.shape.join() && a.data.every((x, i) => Object.is(x, b.data[i]));
}

function checked(
  embedding: NamedArray | undefined,
  output: NamedArray | undefined,
  { config }: LanguageModel,
  path: string,
): Map<string, NamedArray> {
  const { vocabSize, width, tied } = config;
  const tables = new Map([
    ...(embedding ? [[EMBEDDING, embedding] as const] : []),
    ...(output ? [[OUTPUT, output] as const] : []),
  ]);
  for (const [name, { shape }] of tables) {
    if (shape.length === 2 && shape[1] === width && shape[0]! >= vocabSize) continue;
    throw new InputError(
      `${path}: expected ${name} of at least [${vocabSize}, ${width}], got [${shape.join(', ')}]; is it an adapter of this base?`,
    );
  }
  const first = embedding?.shape[0] ?? vocabSize;
  const second = output?.shape[0] ?? (tied ? first : vocabSize);
  if (first === second) return tables;
  throw new InputError(`${path}: the embedding table has ${first} rows, the output layer ${second}`);
}
