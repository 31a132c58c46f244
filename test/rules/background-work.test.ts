import { globSync, readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { expect, test } from 'vitest'
import { defineTask, type Feature, z } from '#runtime'
import { features } from '#src/app.ts'
import { expectRule } from '#test/support/rule.ts'

interface Work {
  readonly place: string
  readonly value: unknown
}

/** What a file exports that `defineTask` or `defineSchedule` made. */
function workIn(path: string, exported: Record<string, unknown>): Work[] {
  return Object.entries(exported)
    .filter(([, value]) => isWork(value))
    .map(([name, value]) => ({ place: `${path}: ${name}`, value }))
}

function isWork(value: unknown): boolean {
  if (typeof value !== 'object' || value === null || !('name' in value)) return false
  return ('run' in value && 'payload' in value) || ('nextAfter' in value && 'task' in value)
}

/** What no feature lists, as `file: export`. */
function unlisted(work: readonly Work[], listing: readonly Feature[]): string[] {
  const listed = new Set<unknown>(listing.flatMap(({ tasks, schedules }) => [...tasks, ...schedules]))
  return work.filter(({ value }) => !listed.has(value)).map(({ place }) => place)
}

/** The files of features that define tasks or schedules. */
async function allWork(): Promise<Work[]> {
  const paths = globSync('src/*/**/*.ts', { exclude: ['src/runtime/**'] }).map((path) =>
    path.replaceAll('\\', '/'),
  )
  const defining = paths.filter((path) => /\bdefine(?:Task|Schedule)\(/.test(readFileSync(path, 'utf8')))
  const found = defining.map(async (path) => workIn(path, await import(resolve(path))))
  return (await Promise.all(found)).flat()
}

test('every task and every schedule is listed in a feature', async () => {
  expectRule(
    'A feature of src/app.ts lists each task and each schedule: what is not listed never runs.',
    unlisted(await allWork(), features),
    'add it to `tasks` or `schedules` of its `defineFeature`.',
  )
})

test('this rule sees what it looks for', async () => {
  const task = defineTask({ name: 'trial.work', payload: z.object({}), run: async () => {} })
  const work = workIn('src/trial/tasks.ts', { task, name: 'trial', list: [task], schema: z.object({}) })
  expect(unlisted(work, [])).toEqual(['src/trial/tasks.ts: task'])
  expect(unlisted(work, [{ tasks: [task], schedules: [] } as unknown as Feature])).toEqual([])
  const known = features.flatMap(({ tasks }) => tasks.filter(({ name }) => !name.startsWith('runtime')))
  expect((await allWork()).map(({ value }) => value)).toEqual(expect.arrayContaining([...known]))
})
