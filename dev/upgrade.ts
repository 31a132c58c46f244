import { spawnSync } from 'node:child_process'
import { globSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { type Finished, finishUpgrade } from './upgrade/finish.ts'
import { ownerOf } from './upgrade/owners.ts'
import { type Merged, takeIn } from './upgrade/prepare.ts'
import { UpgradeError } from './upgrade/upgrade-error.ts'
import { isVersion } from './upgrade/versions.ts'

// `npm run upgrade`: takes in a newer release of the template.

const usage = `Usage: npm run upgrade -- [SOURCE] [VERSION] [--base COMMIT]
       npm run upgrade -- --continue

  SOURCE      the template: its URL, a remote's name, or a folder with a clone of it. It is remembered in package.json
  VERSION     a release, such as 0.2.0; the newest if there is none
  --base      the commit that this service started from, where the template has no tag of it
  --continue  after conflicts: makes what is generated, checks, and commits`

try {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      base: { type: 'string' },
      continue: { type: 'boolean' },
      help: { type: 'boolean', short: 'h' },
    },
  })
  const version = positionals.find((word) => isVersion(word.replace(/^v/, '')))?.replace(/^v/, '')
  const [source, more] = positionals.filter((word) => !isVersion(word.replace(/^v/, '')))
  if (values.help) console.log(usage)
  else if (more !== undefined || (values.continue && positionals.length > 0)) throw new TypeError(usage)
  else if (values.continue) report(await finishUpgrade())
  else start(takeIn({ source, version, base: values.base }))
} catch (error) {
  const isMeant = error instanceof UpgradeError || error instanceof TypeError
  console.error(isMeant ? error.message : error)
  process.exitCode = error instanceof TypeError ? 2 : 1
}

/** The release's own tools do the rest, in a process of their own: they are in the files now. */
function start(merged: Merged): void {
  const { from, to, conflicts, keys, removed, migrating } = merged
  console.log(`Merged the template's changes from ${from} to ${to}.`)
  for (const path of removed) console.log(`left out ${path}: the template changed it, and you had removed it`)
  if (migrating.length > 1)
    console.log(
      `${migrating.join(' and ')} each change the runtime's tables. If the service is live, take them in one by one, with a ` +
        `deploy after each: git merge --abort, then npm run upgrade -- ${migrating[0]}`,
    )
  if (conflicts.length === 0) {
    process.exitCode =
      spawnSync(process.execPath, ['dev/upgrade.ts', '--continue'], { stdio: 'inherit' }).status ?? 1
    return
  }
  const features = globSync('src/*/').map((path) => path.replaceAll('\\', '/').replace(/^src\/|\/$/g, ''))
  const hints = {
    template: "the template's: take its version, or put your change into it again",
    fork: 'yours, from the example: keep what you need',
    shared: 'of both: keep both changes',
    generated: 'generated: either version will do',
  }
  console.log('Both changed these files in the same place. git status shows them, too:')
  for (const path of conflicts) console.log(`conflict ${path} (${hints[ownerOf(path, features)]})`)
  for (const key of keys) console.log(`         package.json has ${key}`)
  console.log(
    'Settle each, and git add it. Then: npm run upgrade -- --continue\nTo go back to where you were: git merge --abort',
  )
  process.exitCode = 1
}

function report({ parts, passes, toRead }: Finished): void {
  for (const { version, steps } of parts) {
    console.log(`\nVersion ${version} asks of you${steps.length === 0 ? ' nothing.' : ':'}`)
    for (const step of steps) console.log(`- ${step}`)
  }
  for (const path of toRead) console.log(`next     read what changed in ${path}: git diff HEAD^1 -- ${path}`)
  if (passes) {
    console.log('next     npm test')
    return
  }
  console.log(
    'The checks fail: see above. Mend that, then: npm run upgrade -- --continue\nTo go back: git merge --abort',
  )
  process.exitCode = 1
}
