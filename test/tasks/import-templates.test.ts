/** The reference's prompt sources -> templates. The sources here have the reference's form, and words of our own. */
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { importTemplates } from '../../lib/tasks/import/import-templates.js';
import { pythonText } from '../../lib/tasks/import/python-literals.js';
import { readDataPy } from '../../lib/tasks/import/read-data-py.js';
import { readPromptPy } from '../../lib/tasks/import/read-prompt-py.js';
import { promptContext, renderAnswer, renderPrompt } from '../../lib/tasks/prompts.js';
import { readTemplates } from '../../lib/tasks/templates.js';
import { datasetOf, indexOf } from './small-dataset.js';

const dir = mkdtempSync(join(tmpdir(), 'sidlab-import-'));

test.each([
  [`'a' "b"`, 'ab', false],
  [`"a\\n\\"b" \\\n  'c'`, 'a\n"bc', false],
  [`("a"\n   f"{x}")`, 'a{x}', true],
  [`"""one\n"two" {y}"""`, 'one\n"two" {y}', false],
  [`r'\\n'`, '\\n', false],
  [`'a'\n'other statement'`, 'a', false],
  [`'''a'b'''`, "a'b", false],
  [`f'a' "b"`, 'ab', true],
  [`""`, '', false],
  [`'' "b"`, 'b', false],
  [`"it's" 'a "b"'`, 'it\'sa "b"', false],
  [`"a\\\nb"`, 'ab', false],
  [`'''a\\'''b'''`, "a'''b", false],
  [`'a' \\\n 'b'\n'c'`, 'ab', false],
  [`('a'\n'b')\n'c'`, 'ab', false],
])('the literal %s', (source, text, formatted) => {
  for (const before of ['', ' ', 'x = ']) {
    const found = pythonText(before + source + ' + y', before.length);
    expect(found).toMatchObject({ text, formatted });
    expect(pythonText(before + source, before.length)).toEqual(found);
  }
  expect(pythonText(source + ' + y', 0)!.end).toBeLessThanOrEqual(source.length);
});

test('an expression ends behind its last quote', () => {
  for (const source of [`'ab'`, `"a" 'b'`, `'''a'''`, `rf"a"`]) {
    expect(pythonText(`x${source}  # "more"`, 1)!.end).toBe(1 + source.length);
  }
});

test.each([`x`, `'open\n'`, `'open`, `"""open`, `'''open''`, `f`, ``])('no literal: %j', (source) =>
  expect(pythonText(source, 0)).toBeUndefined(),
);

const PROMPT_PY = `
sft_prompt = "Say what is asked." \\
             "\\n\\nAsk: {instruction}\\nSay:{response}"
all_prompt = {}
seqrec_prompt = []
#####0
prompt = {}
prompt["instruction"] = "After {inters} comes?"
prompt["response"] = "{item}"
seqrec_prompt.append(prompt)
prompt = {}
prompt["instruction"] = "Given {inters}, is {item} next?"
prompt["response"] = "{item}"
seqrec_prompt.append(prompt)
prompt = {}
prompt['instruction'] = 'One {{word}} for {inters}'
prompt['response'] = '{item}'
seqrec_prompt.append(prompt)
all_prompt["seqrec"] = seqrec_prompt
index2item_prompt = []
prompt = {}
prompt["instruction"] = "Name {item}."
prompt["response"] = "{title}"
index2item_prompt.append(prompt)
prompt = {}
prompt["instruction"] = "Name and describe {item}."
prompt["response"] = "{title}\\n\\n{description}"
index2item_prompt.append(prompt)
all_prompt["index2item"] = index2item_prompt
itemsearch_prompt = []
prompt = {}
prompt["instruction"] = "{query}, after {inters}"
prompt["response"] = "{item}"
itemsearch_prompt.append(prompt)
all_prompt["itemsearch"] = itemsearch_prompt
`;

describe('prompt.py', () => {
  test('its lists as tasks, one a kind of answer, in their frame', () => {
    const { templates, leftOut } = readPromptPy(PROMPT_PY, 'prompt.py');
    const frame = (text: string) => `Say what is asked.\n\nAsk: ${text}\nSay:`;
    expect(templates).toEqual({
      seqrec: {
        of: 'rows',
        separator: ', ',
        answer: '{sid}{end}',
        prompts: [frame('After {history} comes?')], // a brace that is text cannot be written
      },
      index2item: { of: 'items', separator: ', ', answer: '{title}{end}', prompts: [frame('Name {sid}.')] },
      index2item_title_description: {
        of: 'items',
        separator: ', ',
        answer: '{title}\n\n{description}{end}',
        prompts: [frame('Name and describe {sid}.')],
      },
    });
    expect(leftOut).toEqual({ seqrec: 2, index2item: 0, itemsearch: 1 });
  });

  test('numbers and separator of histories', () => {
    const { templates } = readPromptPy(PROMPT_PY, 'prompt.py', { numbered: true, separator: ' | ' });
    expect(templates.seqrec).toMatchObject({ separator: ' | ' });
    expect(templates.seqrec!.prompts[0]).toContain('After {history_numbered} comes?');
  });

  /** A list of prompts, each an instruction and a response as they are in Python. */
  const listOf = (name: string, ...prompts: [instruction: string, response: string][]): string =>
    [
      `${name} = []`,
      ...prompts.flatMap(([instruction, response]) => [
        `prompt = {}\nprompt["instruction"] = ${instruction}\nprompt["response"] = ${response}\n${name}.append(prompt)`,
      ]),
      `all_prompt["${name}"] = ${name}\n`,
    ].join('\n');
  const NEXT: [string, string] = ['"After {inters} comes?"', '"{item}"'];

  test('without a frame an instruction is all; what is no text, asks nothing or has no answer is left out', () => {
    const source = [
      listOf('a', NEXT, ['WORDS', '"{item}"'], ['"Say something."', '"{item}"']),
      listOf('b', ['"Name {item}."', '"{title}"'], ['"Name {item}."', 'ANSWER'], ['"Name {item}."', '"It."']),
      'all_prompt["none"] = missing\n',
    ].join('\n');
    const { templates, leftOut } = readPromptPy(source, 'p.py');
    expect(templates).toEqual({
      a: { of: 'rows', separator: ', ', answer: '{sid}{end}', prompts: ['After {history} comes?'] },
      b: { of: 'items', separator: ', ', answer: '{title}{end}', prompts: ['Name {sid}.'] },
    });
    expect(leftOut).toEqual({ a: 2, b: 2 });
  });

  test('of a task that is set twice the later list counts; what is left out of several answers is added up', () => {
    const again = listOf('a', NEXT) + listOf('b', ['"Or after {inters}?"', '"{item}"']).replace('["b"]', '["a"]');
    expect(readPromptPy(again, 'p.py').templates).toMatchObject({ a: { prompts: ['Or after {history}?'] } });
    const bad = listOf('a', NEXT) + listOf('c', ['"{item}, {inters}"', '"{item}"'], ['"{query}"', '"{title}"']);
    expect(readPromptPy(bad, 'p.py').leftOut).toEqual({ a: 0, c: 2 });
    expect(Object.keys(readPromptPy(again, 'p.py').templates)).toEqual(['a']);
  });

  test('prompts of which none can be a template', () =>
    expect(() => readPromptPy(listOf('a', ['"{query}"', '"{item}"']), 'p.py')).toThrow(
      'p.py: no prompt in it can be a template',
    ));

  test('no list', () =>
    expect(() => readPromptPy('x = 1', 'p.py')).toThrow('p.py: expected all_prompt["task"] = list'));
});

const frame = (name = 'generate_prompt') => `
    def ${name}(self, data_point):
        return f"""IN:
{data_point["input"]}

### Response:\\n{data_point["output"]}"""
`;
const pre = (words: string) => `
    def pre(self, idx):
        instruction = """Do this.
${words}

"""
`;
const DATA_PY = `import x
class Tokenizer:
    pass
class SidSFTDataset(Dataset):
${frame()}
    def get_history(self, row):
        return {"input": f"Bought {history}, and then?",
                "output": target_item}
${pre('Guess.')}
class SidItemFeatDataset(Dataset):
    def generate_prompt(self, data_point):
        if data_point['task'] == 'title2sid':
            prompt = f"Code for title: {data_point['input']}?"
        else:
            prompt = f'The title of "{data_point["input"]}"?'
        return f"""IN:
{prompt}

### Response:\\n{response}"""
${pre('Answer.')}
class FusionSeqRecDataset(Dataset):
    def generate_prompt_title(self, history):
        return f"Title after {history}."
    def generate_prompt_description(self, history):
        return f"Text after {history}."
${frame('generate_formatted_prompt')}
${pre('Recommend.')}
class TitleHistory2SidSFTDataset(Dataset):
${frame()}
    def get_history(self, row):
        return {"input": f"These {self.category}: {history_titles}. Next?"}
${pre('Predict.')}
class PreferenceSFTDataset(Dataset):
${frame()}
    def get(self):
        result = {"input": f"From {history_str}, tell.", "output": f"x"}
${pre('Tell.')}
class UserPreference2sidSFTDataset(Dataset):
${frame()}
    def get(self):
        result = {"input": f"{unknown_thing} {history_str}"}
${pre('Use.')}
`;

describe('data.py', () => {
  test('the words of each class, with instruction and frame', () => {
    const { templates, leftOut } = readDataPy(DATA_PY, 'data.py');
    const prompt = (words: string, input: string) => [`Do this.\n${words}\n\nIN:\n${input}\n\n### Response:\n`];
    const prompts = Object.fromEntries(Object.entries(templates).map(([name, { prompts }]) => [name, prompts]));
    expect(prompts).toEqual({
      seqrec: prompt('Guess.', 'Bought {history}, and then?'),
      title2sid: prompt('Answer.', 'Code for title: {title}?'),
      sid2title: prompt('Answer.', 'The title of "{sid}"?'),
      sids2title: prompt('Recommend.', 'Title after {history}.'),
      sids2description: prompt('Recommend.', 'Text after {history}.'),
      titles2sid: prompt('Predict.', 'These {category}: "{history_titles}". Next?'),
      preference: prompt('Tell.', 'From {history}, tell.'),
    });
    expect(leftOut).toEqual({ preference2sid: 1 });
  });

  test('written as a file that --templates reads, and rendered', () => {
    const [from, out] = [join(dir, 'data.py'), join(dir, 'templates.json')];
    writeFileSync(from, DATA_PY);
    const report = importTemplates({ from, out });
    expect(report).toMatchObject({
      tasks: { seqrec: 1, titles2sid: 1 },
      leftOut: { preference2sid: 1 },
      templates: out,
    });
    expect(Object.keys(JSON.parse(readFileSync(out, 'utf8')) as object)).toHaveLength(7);
    const { seqrec, titles2sid } = readTemplates(out);
    const items = datasetOf(9, 3).items;
    const context = promptContext(indexOf(9), items, [], undefined, { category: 'toys and games' });
    const subject = { history: [1, 2], item: 3 };
    expect(renderPrompt(titles2sid!, subject, context)).toContain('These toys and games: "thing 1", "thing 2". Next?');
    expect(renderAnswer(seqrec!, subject, context)).toBe('<a_3>\n<|endoftext|>');
  });

  test.each([
    ['its instruction', 'instruction =', 'words ='],
    ['its frame', 'def generate_prompt', 'def generate_words'],
    ['the end of its frame', '### Response', '### Answer'],
    ['its input', '"input":', '"inputs":'],
  ])('a class without %s is left out, one alone is enough', (_, part, other) => {
    const [, body = ''] = /(class SidSFTDataset[^]*?)class SidItem/.exec(DATA_PY)!;
    expect(Object.keys(readDataPy(body, 'data.py').templates)).toEqual(['seqrec']);
    const without = body.replace(part, other) + /class PreferenceSFT[^]*?(?=class User)/.exec(DATA_PY)![0];
    expect(readDataPy(without, 'data.py')).toMatchObject({ leftOut: { seqrec: 1 }, templates: { preference: {} } });
    expect(readDataPy(without, 'data.py').templates).not.toHaveProperty('seqrec');
  });

  test('of a prompt.py with the separator that is asked for; what nothing is left out of is not named', () => {
    const [from, out] = [join(dir, 'prompt.py'), join(dir, 'prompts.json')];
    writeFileSync(from, PROMPT_PY);
    expect(importTemplates({ from, out }).leftOut).toEqual({ seqrec: 2, itemsearch: 1 });
    expect(readTemplates(out).seqrec!.separator).toBe(', ');
    importTemplates({ from, out, separator: ' | ' });
    expect(readTemplates(out).seqrec!.separator).toBe(' | ');
  });

  test.each([
    [{ from: join(dir, 'none.py'), out: 'x.json' }, 'no such file'],
    [{ from: join(dir, 'data.py'), out: join(dir, 'x.py') }, '--out: expected a .json file'],
  ])('%j', (options, message) => expect(() => importTemplates(options)).toThrow(message));

  test('another source', () => expect(() => readDataPy('class A:\n  pass', 'a.py')).toThrow("MiniOneRec's data.py"));
});
