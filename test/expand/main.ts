import { beforeNewestMigration, commitOf, describe, followsOn } from './revision.ts'
import { Refusal } from './run.ts'

// `npm run test:expand -- REF`: the bundle of REF passes REF's own acceptance tests on the schema that the migrations
// here make, as it must while a deploy goes on, and after a rollback. Without REF it is the last revision before the
// newest migration. The status is that of the tests.

const say = (line: string) => process.stdout.write(`${line}\n`)

/** What to test: `undefined`, which it explains, if no REF is given and nothing came before. */
async function choose(ref: string | undefined): Promise<string | undefined> {
  if (ref) {
    const commit = await commitOf(ref)
    await followsOn(commit)
    return commit
  }
  try {
    const commit = await beforeNewestMigration()
    await followsOn(commit)
    return commit
  } catch (error) {
    if (!(error instanceof Refusal)) throw error
    say(`No earlier revision is tested. ${error.message}`)
    return undefined
  }
}

async function main([ref]: readonly string[]): Promise<number> {
  const commit = await choose(ref)
  if (!commit) return 0
  say(`The acceptance tests of ${await describe(commit)}, with its bundle, on the schema that is here`)
  const { accept } = await import('./accept.ts')
  const ending = new AbortController()
  for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(name, () => ending.abort(new Refusal(`Ended by ${name}.`)))
  }
  const status = await accept(commit, ending.signal)
  if (status !== 0)
    say('The migrations break a revision that may still serve: expand first, contract in a later deploy.')
  return status
}

try {
  process.exitCode = await main(process.argv.slice(2))
} catch (error) {
  if (!(error instanceof Refusal)) throw error
  process.stderr.write(`${error.message}\n`)
  process.exitCode = 1
}
