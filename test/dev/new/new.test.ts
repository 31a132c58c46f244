import { expect, test } from 'vitest'
import { workingCopy } from '#test/kit'

// What is written is checked, and its tests are run, by test/docs/pages.test.ts.

test('a file that is written in another way is left as it is, and the message says what to write', async () => {
  const { edit, run } = await workingCopy()
  await run('git add --all')
  await edit('src/app.ts', (text) => text.replace('const features: readonly Feature[] =', 'const features ='))
  await run('git add --all')
  const said = await run('npm run --silent new -- feature line-items').catch((error: Error) => error.message)
  expect(said).toContain(
    "src/app.ts has no line 'export const features: readonly Feature[] = […]': write it so",
  )
  const status = await run('git status --porcelain --untracked-files=all')
  expect(status.match(/^( M|\?\?) .*/gm)).toBeNull()
})
