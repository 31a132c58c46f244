import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { parse } from 'yaml'
import { z } from 'zod'

const words = z.array(z.string()).default([])
const file = z.object({
  steps: z.array(z.object({ id: z.string(), args: z.array(z.string()), env: words, secretEnv: words })),
})
const { steps } = file.parse(parse(readFileSync('cloudbuild.yaml', 'utf8')))

/** A shell script with what it sources, without comments and what single quotes keep from the shell. */
function read(script: string): string {
  const text = readFileSync(script, 'utf8').replaceAll(/^\s*#.*$/gm, '')
  const sourced = [...text.matchAll(/^\. (?:"\$\(dirname "\$0"\)|deploy)\/([\w.-]+)"?$/gm)]
  return [text.replaceAll(/'[^'\n]*'/g, ''), ...sourced.map(([, name]) => read(`deploy/${name}`))].join('\n')
}

/** The variables that a script reads and does not set itself. One with a default for once (`${NAME:-…}`) need not be there. */
function readsOf(script: string): string[] {
  const text = read(script)
  const named = (pattern: RegExp) => new Set(Array.from(text.matchAll(pattern), ([, name]) => `${name}`))
  const used = named(/\$\{?([A-Z][A-Z0-9_]+)\b(?!:?-)/g)
  const set = named(/(?:^|[\s(])([A-Z][A-Z0-9_]+)=/gm)
  return [...used].filter((name) => !set.has(name) && !['BASH_SOURCE', 'PWD', 'SECONDS'].includes(name))
}

test.each(steps)(
  '$id is given each variable that its script reads, by its own env',
  ({ args, env, secretEnv }) => {
    const given = new Set([...env.map((pair) => pair.split('=')[0]), ...secretEnv])
    expect(readsOf(args[0] ?? '').filter((name) => !given.has(name))).toEqual([])
  },
)

test('what a script reads is seen', () => {
  expect(readsOf('deploy/revision')).toEqual(
    expect.arrayContaining(['CPU', 'MAX_INSTANCES', 'MEMORY', 'REGION', 'BUILD_ID', 'LOCATION']),
  )
})
