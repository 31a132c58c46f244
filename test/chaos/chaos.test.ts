import { expect, inject, test } from 'vitest'
import { makeDatabase } from '#test/support/database.ts'
import { chaos } from './chaos.ts'

const patience = 900_000

test('whatever fails, and however often it is killed, each parcel is sent once, and each journey ends', {
  timeout: patience + 20_000,
}, async () => {
  const databaseUrl = await makeDatabase()
  const { violations } = await chaos({
    bundle: inject('parcelsBundle'),
    databaseUrl,
    seed: 1,
    parcels: 500,
    journeys: 10,
    kills: 20,
    patience,
  })
  expect(violations).toEqual([])
})
