import { beforeAll, describe, expect, test } from 'vitest'
import { onServer, query } from '#test/kit'
import { sharedLab } from './lab.ts'
import { createEvents } from './routes/events.ts'

const lab = sharedLab()
beforeAll(() => onServer(lab.databaseUrl, createEvents))

test('a POST commits, and leads to what it made; a retry leads to the same', async () => {
  const alice = await lab.as('alice')
  const ask = () => alice('/visits/東京', { method: 'POST', headers: { 'Idempotency-Key': 'visit' } })
  const [first, again] = [await ask(), await ask()]
  const place = first.headers.get('location') ?? ''
  expect([first.status, again.status]).toEqual([303, 303])
  expect(place).toMatch(new RegExp(`^/visits/${encodeURIComponent('東京')}/[\\da-f-]{36}$`))
  expect([again.headers.get('location'), again.headers.get('idempotency-replayed')]).toEqual([place, 'true'])
  expect(await rowsOf(place.split('/').at(-1) ?? '')).toBe(1)
})

async function rowsOf(id: string): Promise<number> {
  const { rowCount } = await query(lab.databaseUrl, `select effect from events where id = '${id}'`)
  return rowCount ?? 0
}

test.each([
  ['found', 302, '/visits'],
  ['temporary', 307, '../visits?town=a'],
  ['external', 302, 'https://shop.example/a?b=c#d'],
])('a redirect leads where it says, without a body: %s', async (kind, status, target) => {
  for (const method of ['GET', 'HEAD']) {
    const response = await lab.api(`/redirects/${kind}`, { method })
    expect([response.status, response.headers.get('location'), await response.text()]).toEqual([
      ...[status, target, ''],
    ])
    expect(response.headers.get('content-type')).toBeNull()
  }
})

describe('HEAD and OPTIONS', () => {
  test.each([
    { what: 'a route of the contract', path: '/linked', status: 200, allow: 'GET, HEAD, OPTIONS' },
    { what: 'a plain route', path: '/body-types/text', status: 200, allow: 'GET, HEAD, OPTIONS' },
    { what: 'bytes', path: '/downloads/report', status: 200, allow: 'GET, HEAD, OPTIONS' },
    { what: 'a stream', path: '/streams/whole', status: 200, allow: 'GET, HEAD, OPTIONS' },
    { what: 'events', path: '/events/whole', status: 200, allow: 'GET, HEAD, OPTIONS' },
    { what: 'a redirect', path: '/redirects/found', status: 302, allow: 'GET, HEAD, OPTIONS' },
    { what: 'a route that is a POST only', path: '/events', status: 405, allow: 'POST, OPTIONS' },
    { what: 'nothing', path: '/nowhere', status: 404, allow: undefined },
  ])('$what: $path', async ({ path, status, allow }) => {
    const head = await lab.api(path, { method: 'HEAD' })
    expect([head.status, await head.text()]).toEqual([status, ''])
    const options = await lab.api(path, { method: 'OPTIONS' })
    expect([options.status, options.headers.get('allow') ?? undefined]).toEqual([allow ? 204 : 404, allow])
  })
})
