import { spawn } from 'node:child_process'
import { randomInt } from 'node:crypto'
import { once } from 'node:events'
import { parseArgs } from 'node:util'

// `npm run model -- --runs 10000 --seed 7`: the model test of tasks with more stories. `--seed SEED --path PATH`, which a failure
// prints, plays the story that failed once more. The status is 0 if all that tasks promise holds.

const text = { type: 'string' } as const
const { values } = parseArgs({ options: { runs: text, seed: text, path: text } })
const { runs = '10000', seed = `${randomInt(1_000_000)}`, path } = values

process.stdout.write(`seed ${seed}: ${path ? `the story ${path}` : `${runs} stories`}\n`)
const vitest = ['node_modules/vitest/vitest.mjs', 'run', '--project', 'statements', 'test/tasks/model']
const child = spawn(process.execPath, vitest, {
  env: { ...process.env, MODEL_RUNS: runs, MODEL_SEED: seed, ...(path && { MODEL_PATH: path }) },
  stdio: 'inherit',
})
const [status] = await once(child, 'exit')
process.exitCode = status ?? 1
