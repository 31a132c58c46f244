import { expect, test } from 'vitest'
import prices from '../../bench/prices.json' with { type: 'json' }
import { price } from '../../bench/sections/price.ts'

test('the price is that of the CPU of get, post and list, whatever other sections call by these names', async () => {
  const of = (section: string, work: string, name: string) => ({
    section,
    rows: [
      {
        work,
        contestant: 'service',
        metrics: [{ name, unit: 'µs', better: 'lower' as const, values: [100] }],
      },
    ],
  })
  const earlier = [
    ...['get', 'post', 'list'].map((name) => of(name, name, 'CPU')),
    of('list', 'listGzip', 'CPU'),
    of('growth', 'get', 'CPU of both'),
  ]
  const { rows } = await price.run({} as never, earlier)
  const cents = 100 * prices.dollarsPerVcpuSecond * 100
  expect(rows.map(({ work, metrics }) => [work, metrics[0]?.values])).toEqual([
    ['get', [cents]],
    ['post', [cents]],
    ['list', [cents]],
  ])
})
