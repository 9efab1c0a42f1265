/**
 * The prompts that a published checkpoint was trained with, as a file of templates: read from the reference's own source
 * (`data.py` of MiniOneRec, `prompt.py` of GRec and LC-Rec), so that the kit ships none of their words.
 */
import { basename } from 'node:path';
import { readText, writeJson } from '../../files/files.js';
import { InputError } from '../../support/errors.js';
import { parseTemplates } from '../templates.js';
import { IMPORT_OPTIONS, type ImportOptions } from './import-options.js';
import { readDataPy } from './read-data-py.js';
import { readPromptPy } from './read-prompt-py.js';

/** What `importTemplates` wrote. */
export interface ImportReport {
  /** Prompts of each task. */
  tasks: Record<string, number>;
  /** Prompts that cannot be templates, by task: they hold their answer, or ask for what the kit has no placeholder for. */
  leftOut: Record<string, number>;
  /** The file, for `--templates`. */
  templates: string;
}

/** @throws InputError for a source that is neither, and for templates that do not fit */
export function importTemplates(options: ImportOptions): ImportReport {
  const { from, out, separator, numbered } = IMPORT_OPTIONS.parse(options);
  const source = readText(from, "give the path of the reference's data.py or prompt.py");
  const read = /^all_prompt\b/m.test(source)
    ? readPromptPy(source, from, { ...(separator !== undefined && { separator }), numbered })
    : readDataPy(source, from);
  if (/\.py$/.test(out)) throw new InputError(`--out: expected a .json file to write, got ${basename(out)}`);
  const templates = parseTemplates(read.templates, from);
  writeJson(out, templates);
  const leftOut = Object.fromEntries(Object.entries(read.leftOut).filter(([, count]) => count > 0));
  return {
    tasks: Object.fromEntries(Object.entries(templates).map(([name, { prompts }]) => [name, prompts.length])),
    leftOut,
    templates: out,
  };
}
