import { expect, test } from 'vitest'
import { manualClock } from '#dev/cloud-tasks/clock.ts'
import { createEmulator } from '#dev/cloud-tasks/emulator.ts'
import { atEnd } from '#test/support/at-end.ts'
import { client } from '#test/support/client.ts'
import { makeDatabase } from '#test/support/database.ts'
import { expectJson } from '#test/support/expect.ts'
import { startSteps } from '#test/support/process.ts'
import { testTasks } from '#test/support/task-variables.ts'
import { as } from '#test/support/tokens.ts'

test('the bundle hands tasks over with Google’s client', async () => {
  const emulator = await createEmulator({ clock: manualClock() })
  atEnd(() => emulator.close())
  emulator.createQueue(testTasks.TASKS_QUEUE)
  const service = await startSteps({
    DATABASE_URL: await makeDatabase(),
    CLOUD_TASKS_EMULATOR_HOST: new URL(emulator.url).host,
  })
  const alice = client(service.url, await as('alice'))
  await expectJson(await alice('/steps', { json: { text: 'Tea' } }), 201)
  expect(emulator.pending()).toMatchObject([{ url: `${testTasks.TASKS_URL}/runtime/callbacks/steps.step` }])
})
