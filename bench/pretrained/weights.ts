/** The pretrained model of the benchmarks, SmolLM2-135M-Instruct in one GGUF file, and its shape without its weights. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { homeFolder, InputError } from 'sidlab';
import { writeJson } from 'sidlab/files';
import { modelConfig, saveTokenizer, loadTokenizer, toHfConfig } from 'sidlab/lm';

const FILE = 'data/models/SmolLM2-135M-Instruct.Q4_1.gguf';

/** Path of the weights. @throws InputError that says how to get them */
export function pretrainedFile(): string {
  const file = join(homeFolder(), FILE);
  if (existsSync(file)) return file;
  throw new InputError(`${file}: no such file; .venv/bin/python bench/peers/export_smollm2.py fetches it`);
}

/** A folder with the shape and the tokenizer alone: random weights when it is trained. */
export function bareFolder(folder: string): string {
  const file = pretrainedFile();
  const config = join(folder, 'config.json');
  if (!existsSync(config)) {
    saveTokenizer(folder, loadTokenizer(file).json, [file]);
    writeJson(config, toHfConfig(modelConfig(file)));
  }
  return folder;
}
