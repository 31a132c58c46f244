import { createHash } from 'node:crypto'

/**
 * Random numbers from 0 to below 1 that are the same for the same seed. Each named sequence runs by itself, so
 * that drawing from one does not change another.
 */
export function seededRandom(seed: number): (sequence: string) => number {
  const position = new Map<string, number>()
  return function random(sequence) {
    const index = position.get(sequence) ?? 0
    position.set(sequence, index + 1)
    const digest = createHash('sha256').update(`${seed} ${sequence} ${index}`).digest()
    return digest.readUInt32BE() / 2 ** 32
  }
}
