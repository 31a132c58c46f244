import { expect, test } from 'vitest'
import { banner } from '#dev/banner.ts'
import { developmentEnvironment } from '#dev/settings.ts'
import { pasteCurl } from '#test/support/curl.ts'
import { makeDatabase, onServer } from '#test/support/database.ts'
import { startService } from '#test/support/process.ts'

test('the line that `npm run dev` prints places an order', async () => {
  const databaseUrl = await makeDatabase()
  const environment = developmentEnvironment({ variables: { DATABASE_URL: databaseUrl }, file: 'none' })
  const { url } = await startService({ ...environment, PORT: '0' })
  const printed = await banner({ ...environment, PORT: new URL(url).port }, [])
  const answer = await pasteCurl(printed)
  expect(answer).toMatch(/^HTTP\/1\.1 201 Created/)
  expect(answer).toContain('placed')
  expect((await onServer(databaseUrl, 'select from orders')).rowCount).toBe(1)
})
