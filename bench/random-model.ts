/** A model folder of random weights in `data/bench`, made once: 2 GB in float32 at Qwen2.5-0.5B's shape. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { homeFolder } from 'sidlab';
import type { BenchShape } from './qwen.js';
import { runOurs } from './run-ours.js';

/** @returns the folder */
export function randomModel({ config, name }: BenchShape): string {
  const folder = join(homeFolder(), 'data/bench', name);
  // in a process of its own: what the engine took for it is given back
  if (!existsSync(join(folder, 'model.safetensors'))) runOurs('random-model-ours.js', folder, JSON.stringify(config));
  return folder;
}
