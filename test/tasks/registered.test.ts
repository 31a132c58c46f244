import { expect, test } from 'vitest'
import { features } from '#src/app.ts'

test.each(
  features.flatMap(({ schedules }) => schedules).map((schedule) => [schedule.name, schedule] as const),
)('%s has a next slot', (_name, { nextAfter }) => {
  expect(nextAfter(new Date())).toBeInstanceOf(Date)
})
