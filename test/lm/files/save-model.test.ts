/** A model saved over another one: what is loaded then is the model that was saved, and nothing of the other. */
import { cpSync, existsSync, mkdtempSync, readdirSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import { useEngine } from '../../../lib/engine/engine.js';
import { endTokensOf } from '../../../lib/lm/config.js';
import { parseLora } from '../../../lib/lm/lora/lora-options.js';
import { addLora } from '../../../lib/lm/lora/lora.js';
import { mergeStage } from '../../../lib/lm/lora/merge-stage.js';
import { weightArray } from '../../../lib/lm/model-files.js';
import { loadModel, modelConfig, saveModel } from '../../../lib/lm/model.js';
import { loadChatTemplate } from '../../../lib/lm/tokenizer/chat-template.js';
import { loadTokenizer } from '../../../lib/lm/tokenizer/tokenizer.js';
import { EMBEDDING } from '../../../lib/lm/weight-names.js';

beforeAll(async () => void (await useEngine()));

const fresh = (): string => mkdtempSync(join(tmpdir(), 'sidlab-save-'));
const plain = (): string => {
  const folder = join(fresh(), 'model');
  cpSync('test/cases/m_plain', folder, { recursive: true });
  return folder;
};
/** An adapter whose B is not zero. */
function adapterOf(base: string, seed: number): string {
  const folder = join(fresh(), 'adapter');
  const model = addLora(loadModel(base), parseLora({ rank: 2, modules: [] }, base, false), seed);
  for (const [name, weight] of model.weights) if (name.includes('lora_B')) weight.assign(weight.add(0.5));
  saveModel(folder, model);
  return folder;
}

test('over an adapter a whole model is refused: the adapter would be read in its place', () => {
  const base = plain();
  const [adapter, other] = [adapterOf(base, 1), adapterOf(base, 2)];
  const before = readdirSync(other);
  expect(() => mergeStage({ adapter, out: other })).toThrow(`${other}: holds an adapter, which would be read in place`);
  expect(() => saveModel(other, loadModel(base))).toThrow('holds an adapter');
  expect(readdirSync(other)).toEqual(before);
  const query = 'model.layers.0.self_attn.q_proj.weight';
  const merged = join(fresh(), 'merged');
  mergeStage({ adapter, out: merged });
  const [once, twice] = [merged, adapter].map((folder) => weightArray(loadModel(folder), query).data);
  expect(once).toEqual(twice);
  saveModel(adapter, addLora(loadModel(base), parseLora({ rank: 2, modules: [] }, base, false), 3)); // its like is replaced
  expect(weightArray(loadModel(adapter), query).data).toEqual(weightArray(loadModel(base), query).data);
});

test("another model's end tokens, chat template and special tokens do not stay", () => {
  const [from, to] = [plain(), plain()];
  writeFileSync(join(to, 'generation_config.json'), '{"eos_token_id": [7, 8]}');
  writeFileSync(join(to, 'chat_template.jinja'), '{{ messages[0].content }}');
  writeFileSync(join(to, 'special_tokens_map.json'), '{"eos_token": "x"}');
  const { json } = loadTokenizer(from);
  saveModel(to, loadModel(from), { json });
  expect(endTokensOf(modelConfig(to))).toEqual(endTokensOf(modelConfig(from)));
  expect(() => loadChatTemplate(to)).toThrow('has no chat template');
  expect(existsSync(join(to, 'special_tokens_map.json'))).toBe(false);
});

test('its own stay, where a model is saved into the folder that it came from', () => {
  const folder = plain();
  writeFileSync(join(folder, 'generation_config.json'), '{"eos_token_id": [7, 8], "top_p": 0.8}');
  writeFileSync(join(folder, 'chat_template.jinja'), '{{ messages[0].content }}');
  const model = loadModel(folder);
  const row = weightArray(model, EMBEDDING).data[0]!;
  saveModel(relative('.', folder), model, { json: loadTokenizer(folder).json }); // under another spelling of its path
  expect(existsSync(join(folder, 'generation_config.json'))).toBe(true);
  expect(endTokensOf(modelConfig(folder))).toEqual(endTokensOf(model.config));
  expect(loadChatTemplate(folder).wrap('a')).toBe('a');
  expect(weightArray(loadModel(folder), EMBEDDING).data[0]).toBe(row);
});
