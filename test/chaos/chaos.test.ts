import { expect, test } from 'vitest'
import { makeDatabase } from '#test/support/database.ts'
import { chaos } from './chaos.ts'

const patience = 900_000

test('whatever fails, and however often it is killed, each order is placed, sent and fulfilled once', {
  timeout: patience + 20_000,
}, async () => {
  const databaseUrl = await makeDatabase()
  const { violations } = await chaos({ databaseUrl, seed: 1, orders: 1_000, kills: 20, patience })
  expect(violations).toEqual([])
})
