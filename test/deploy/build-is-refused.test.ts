import { beforeAll, beforeEach, expect, test } from 'vitest'
import { lightImage } from '#test/support/light-image.ts'
import { complaint, exceptLive, rehearsal } from '#test/support/rehearsal.ts'

// Builds that stop before anything moves, of a service that is live.
const { project, again, push, serving, changes } = await rehearsal()
const image = push(lightImage())
let before: string[]

beforeAll(async () => {
  expect((await again(image, { without: exceptLive })).ok).toBe(true)
  before = serving()
})

beforeEach(() => void changes())

function expectUntouched() {
  expect(changes()).toEqual([])
  expect(serving()).toEqual(before)
}

test.each(['runway-live-auth-secret', 'runway-staging-database-url'])(
  'without the secret %s a build fails by its name, before anything moves',
  async (name) => {
    const secret = project.secrets.get(name) ?? []
    project.secrets.delete(name)
    const red = await again(image)
    expect(complaint(red)).toMatch(
      new RegExp(`settings: .*Missing: a secret ${name} with an enabled version`, 's'),
    )
    expectUntouched()
    project.secrets.set(name, secret)
  },
)

test('what Google refuses of either environment is seen before anything moves', async () => {
  const { accounts } = project
  project.accounts = accounts.filter((account) => !account.startsWith('runway-live@'))
  const red = await again(image)
  expect(complaint(red)).toMatch(/^live-settings: .*runway-live@.* does not exist.*nothing has moved yet/s)
  expectUntouched()
  project.accounts = accounts
})

test('without a secret of the build itself no step starts', async () => {
  const name = 'runway-live-test-token'
  const secret = project.secrets.get(name) ?? []
  project.secrets.delete(name)
  await expect(again(image)).rejects.toThrow(`Secret ${name}/versions/latest was not found`)
  expectUntouched()
  project.secrets.set(name, secret)
})
