/**
 * A recipe that bears a reference's name has that reference's settings. The tables are what the references' scripts say:
 * MiniOneRec's `rqvae.sh`, `sft.sh`, `rl.sh` and `evaluate.sh`; the single-GPU workflow for 0.5B
 * (`sft_single_gpu_swanlab.sh`, `rqkmeans_plus.sh`, the quick `rl.py` call); GRec's `index` and `train_ddp` scripts with
 * LoRA on four GPUs.
 */
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { type PipelineConfig, readPipelineConfig } from '../../lib/pipeline/config.js';
import { STAGE_SCHEMAS, type StageName } from '../../lib/pipeline/pipeline-options.js';
import { allOptions } from '../../lib/options/schema.js';

const recipe = (name: string): PipelineConfig =>
  readPipelineConfig(fileURLToPath(new URL(`../../recipes/${name}.json`, import.meta.url)));

/** What a stage runs with: what the recipe says, else the stage's default. */
function setting(config: PipelineConfig, path: string): unknown {
  const [stage, name] = path.split('.') as [StageName, string];
  const given = (config[stage] as Record<string, unknown> | undefined)?.[name];
  return given ?? (allOptions(STAGE_SCHEMAS[stage])[name] as { default?: unknown }).default;
}

/** Both references train a quantizer so; ours scales vectors, resets codes and trains an autoencoder first by default. */
const QUANTIZER = {
  'sid.normalize': false,
  'sid.deadCodeEpochs': 0,
  'sid.warmupEpochs': 50,
  'sid.evalEpochs': 50,
  'sid.best': 'collision',
  'sid.commitment': 0.25,
  'sid.maxGradNorm': 1,
  'sid.kmeansIterations': 100,
};

/** MiniOneRec's single-GPU workflow and its full one share these. */
const MINIONEREC = {
  'filter.userK': 5,
  'filter.itemK': 5,
  'filter.window': 10,
  'filter.split': 'chronological',
  'filter.from': '1996-10',
  'filter.to': '2018-10',
  'sft.tasks': 'words,title2sid,sid2title,sids2title,sids2description,titles2title,titles2sid',
  'sft.model': 'models/Qwen2.5-0.5B',
  'sft.initNoise': 3.2e-5, // transformers' mean resizing: 1e-9 of the variance
  'sft.schedule': 'linear',
  'sft.warmupSteps': 20,
  'sft.dropout': 0,
  'sft.weightDecay': 0,
  'sft.evalEpochs': 0.05,
  'sft.patience': 3,
  'sft.bestMetric': 'loss',
  'grpo.reward': 'ranking',
  'grpo.numGenerations': 16,
  'grpo.beta': 1e-3,
  'grpo.learningRate': 1e-5,
  'grpo.schedule': 'cosine',
  'grpo.warmupRatio': 0.03,
  'grpo.maxGradNorm': 0.3,
  'grpo.rollout': 'sample-beams',
  'grpo.reference': 'synchronised',
  'grpo.syncSteps': 512,
  'grpo.syncWeight': 0.6,
  'grpo.tasks': 'words,title2sid,description2sid,titles2sid:n=10000',
  'evaluate.numBeams': 50,
};

const REFERENCES: Record<string, Record<string, unknown>> = {
  minionerec: {
    ...MINIONEREC,
    ...QUANTIZER,
    'sid.method': 'rqvae',
    'sid.codebookSize': [256, 256, 256],
    'sid.latent': 32,
    'sid.epochs': 10_000,
    'sid.batchSize': 20_480,
    'sid.learningRate': 1e-3,
    'sid.schedule': 'constant',
    'sid.weightDecay': 0,
    'sid.autoencoderEpochs': 0,
    'sid.sinkhornEpsilon': 0,
    'sft.epochs': 10,
    'sft.learningRate': 3e-4,
    'sft.batchSize': 1024,
    'sft.cutoffLen': 512,
    'grpo.epochs': 2,
    'grpo.batchSize': 64,
    'embed.pooling': 'mean',
    'embed.cutoffLen': 2048,
  },
  'single-gpu-0.5b': {
    ...MINIONEREC,
    ...QUANTIZER,
    'embed.encoder': './models/bge-small-en-v1.5',
    'sid.method': 'rqkmeans-plus',
    'sid.codebookSize': [256, 256, 256],
    'sid.epochs': 10_000,
    'sid.batchSize': 2048,
    'sid.learningRate': 1e-4,
    'sid.schedule': 'constant',
    'sft.epochs': 3,
    'sft.learningRate': 5e-4,
    'sft.batchSize': 128,
    'sft.cutoffLen': 256,
    'grpo.sampleSize': 10_000,
    'grpo.epochs': 1,
    'grpo.batchSize': 32,
  },
  'grec-lora': {
    ...QUANTIZER,
    'filter.split': 'leave-one-out',
    'filter.window': 20,
    'sid.method': 'rqvae',
    'sid.codebookSize': [256, 256, 256, 256],
    'sid.sinkhornEpsilon': [0, 0, 0, 0.003],
    'sid.schedule': 'linear',
    'sid.weightDecay': 1e-4,
    'sid.learningRate': 1e-3,
    'sid.autoencoderEpochs': 0,
    'sft.tasks': 'item2index,seqrec,fusionseqrec',
    'sft.lora': { rank: 32, alpha: 32, dropout: 0.05, modules: ['embed_tokens', 'lm_head'] },
    'sft.epochs': 4,
    'sft.learningRate': 5e-5,
    'sft.schedule': 'cosine',
    'sft.warmupRatio': 0.01,
    'sft.weightDecay': 0.01,
    'sft.batchSize': 12 * 2 * 4, // a device, accumulated, devices
    'sft.evalEpochs': 1,
    'evaluate.numBeams': 20,
  },
};

test.each(Object.entries(REFERENCES).flatMap(([name, settings]) => Object.keys(settings).map((path) => [name, path])))(
  '%s: %s',
  (name, path) => expect(setting(recipe(name!), path!)).toEqual(REFERENCES[name!]![path!]),
);

test('fast-real: 5,000 rows, one epoch, no reinforcement learning, bad cases', () => {
  const config = recipe('fast-real');
  expect(config).toMatchObject({ sft: { tasks: 'words:n=5000', epochs: 1 }, badcase: {} });
  expect(config.grpo).toBeUndefined();
  expect(join(config.out)).toMatch(/data\/industrial-fast$/);
});
