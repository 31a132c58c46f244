import fc from 'fast-check'
import { expect, test } from 'vitest'
import { story } from './actions.ts'
import { play } from './play.ts'
import { createWorld } from './world.ts'

// Thousands of short stories of tasks, each made from a seed: who sends which statement when, and who is killed. A failure prints
// the seed and the path of the shortest story that fails. `npm run model -- --seed SEED --path PATH` plays it once more.

const { MODEL_RUNS, MODEL_SEED, MODEL_PATH } = process.env
const numRuns = MODEL_PATH ? 1 : Number(MODEL_RUNS ?? 20)

test(`whatever happens, what tasks promise holds: ${numRuns} stories`, {
  timeout: 180_000 + 5_000 * numRuns,
}, async () => {
  const world = await createWorld()
  const played = fc.asyncProperty(story, (story) => play(world, story))
  await fc.assert(played, {
    numRuns,
    seed: Number(MODEL_SEED ?? 1),
    ...(MODEL_PATH && { path: MODEL_PATH }),
  })
  await world.clear()
  expect(world.lanes.held()).toEqual([])
})
