import { sql } from 'drizzle-orm'
import { expect, test } from 'vitest'
import { mapRefusals } from '#src/runtime/database/map-refusals.ts'
import { Problem, problems } from '#src/runtime/kernel/problem.ts'
import { testService } from '#test/support/service.ts'
import { write } from '#test/support/work.ts'

const { database } = await testService({ features: [] })

test.each<{ what: string; send: () => PromiseLike<unknown> }>([
  { what: 'a number out of range', send: () => database.execute(sql`select ${'3000000000'}::int`) },
  { what: 'no number', send: () => database.execute(sql`select ${'many'}::int`) },
  { what: 'no date', send: () => database.execute(sql`select ${'yesterday, more or less'}::date`) },
  { what: 'a day that there is not', send: () => database.execute(sql`select ${'2026-02-30'}::date`) },
  { what: 'a NUL in a text', send: () => database.transaction((tx) => write(tx, 'a\0b')) },
  { what: 'a NUL in a jsonb', send: () => database.execute(sql`select ${'"a\\u0000b"'}::jsonb ->> 0`) },
  {
    what: 'NULL where there must be something',
    send: () => database.execute(sql`insert into test_notes (id) values (gen_random_uuid())`),
  },
])('$what is a value that its column cannot hold', async ({ send }) => {
  const error = await mapRefusals(send(), { values: problems.VALIDATION_FAILED }).catch((thrown) => thrown)
  expect(error).toBeInstanceOf(Problem)
  expect(error).toMatchObject({ definition: problems.VALIDATION_FAILED })
})

test('what is refused for another reason is thrown as it is', async () => {
  const error = new Error('lost')
  await expect(mapRefusals(Promise.reject(error), { values: problems.VALIDATION_FAILED })).rejects.toBe(error)
  const divided = mapRefusals(database.execute(sql`select 1 / 0`), { values: problems.VALIDATION_FAILED })
  await expect(divided).rejects.toMatchObject({ cause: { code: '22012' } })
})
