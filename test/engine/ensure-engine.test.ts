/** A stage that is called first of all computes on the best engine, not on the one that TensorFlow.js begins with. */
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as tf from '@tensorflow/tfjs';
import { expect, test } from 'vitest';
import { useEngine } from '../../lib/engine/engine.js';
import { writeNpy } from '../../lib/files/npy.js';
import { sidStage } from '../../lib/sid/sid-stage.js';

test('a stage chooses the engine that useEngine would', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'sidlab-ensure-'));
  const embeddings = join(folder, 'four.emb-lsa.npy');
  writeNpy(embeddings, { rows: 4, width: 1, data: Float32Array.of(0, 1, 10, 11) });
  await sidStage({ embeddings, levels: 2, codebookSize: 2 });
  const ran = tf.getBackend();
  expect(await useEngine()).toBe(ran);
});
