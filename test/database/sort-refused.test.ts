import { describe, expect, test } from 'vitest'
import { defineSort } from '#runtime'
import { parcels } from './sorted-parcels.ts'

describe('a sort that could leave rows out is refused', () => {
  test.each([
    [
      'by no unique column',
      () => defineSort(parcels, { weight: 'asc' }),
      /parcels ends with weight, which is not unique.*id: 'asc'/,
    ],
    ['by nothing', () => defineSort(parcels, {}), /ends with no column/],
    [
      'by a Date of microseconds',
      () => defineSort(parcels, { createdAt: 'asc', id: 'asc' }),
      /parcels\.createdAt keeps microseconds.*precision: 3/,
    ],
    [
      'by a type of many forms',
      () => defineSort(parcels, { size: 'asc', id: 'asc' }),
      /by parcels\.size, whose type is PgDoublePrecision/,
    ],
  ])('%s', (_what, define, message) => {
    expect(define).toThrow(message)
  })
})
