/**
 * The frequencies of rotary embedding: `theta ** (-2 i / d)`, and Llama 3.1's stretching of the slow ones (arXiv
 * 2407.21783; transformers' `rope_type` llama3).
 */
import type { ModelConfig } from './config.js';

/** @returns radians a position [headDim / 2] */
export function rotaryFrequencies({ headDim, ropeTheta, ropeScaling }: ModelConfig): Float32Array {
  const plain = Float32Array.from({ length: headDim / 2 }, (_, i) => 1 / ropeTheta ** ((2 * i) / headDim));
  if (!ropeScaling) return plain;
  const { factor, lowFreqFactor, highFreqFactor, originalMaxPositions } = ropeScaling;
  return plain.map((frequency) => {
    const turns = (originalMaxPositions * frequency) / (2 * Math.PI); // of the longest text it was first trained on
    if (turns < lowFreqFactor) return frequency / factor;
    if (turns > highFreqFactor) return frequency;
    const smooth = (turns - lowFreqFactor) / (highFreqFactor - lowFreqFactor);
    return ((1 - smooth) * frequency) / factor + smooth * frequency;
  });
}
