import { randomUUIDv7 } from 'node:crypto'
import { and, eq } from 'drizzle-orm'
import fc from 'fast-check'
import { beforeAll, describe, expect, test } from 'vitest'
import { cursorParameter, defineFeature, defineRoute, handle, json, pageOf, z } from '#runtime'
import { onServer } from '#test/support/database.ts'
import { expectJson, expectProblem } from '#test/support/expect.ts'
import { testService } from '#test/support/service.ts'
import { type Parcel, parcels, sorts } from './sorted-parcels.ts'

const names = Object.keys(sorts) as (keyof typeof sorts)[]

const feature = defineFeature({
  name: 'parcels',
  description: 'Parcels, sorted.',
  routes: ({ database }) =>
    names.map((name) => {
      const sort = sorts[name]
      const query = z.strictObject({
        owner: z.string(),
        limit: z.int().min(1).max(100),
        cursor: cursorParameter(sort).optional(),
      })
      const items = z.array(z.uuid())
      const route = defineRoute({
        ...{ method: 'get', path: `/${name}`, operationId: name, summary: name, security: 'public' },
        request: { query },
        responses: { 200: json('A page', z.object({ items, nextCursor: z.string().optional() })) },
      })
      return handle(route, async (c) => {
        const { owner, limit, cursor } = c.req.valid('query')
        const rows = await database
          .select()
          .from(parcels)
          .where(and(eq(parcels.owner, owner), sort.after(cursor)))
          .orderBy(...sort.orderBy)
          .limit(limit + 1)
        return c.json(
          pageOf(rows, limit, ({ id }) => id, sort),
          200,
        )
      })
    }),
})

const { api, database, databaseUrl } = await testService({ features: [feature] })

beforeAll(async () => {
  await onServer(databaseUrl, 'create schema sorted')
  await onServer(databaseUrl, "create type sorted.kinds as enum ('small', 'large')")
  await onServer(
    databaseUrl,
    `create table sorted.parcels (id uuid primary key, owner text not null, weight integer not null, note text,
      kind sorted.kinds not null, paid boolean not null, price numeric not null, count bigint not null, day date not null,
      sent_at timestamptz(3), created_at timestamptz not null default now(), size double precision)`,
  )
  await onServer(databaseUrl, 'create index parcels_weight on sorted.parcels (weight, id)')
})

/** A row of few different values, so that most are equal to others'. */
function parcel(owner: string, n: number): typeof parcels.$inferInsert {
  return {
    id: randomUUIDv7(),
    owner,
    weight: n % 3,
    note: [null, 'A', 'b', 'ä', ''][n % 5] ?? null,
    kind: n % 2 ? 'large' : 'small',
    paid: n % 4 < 2,
    price: ['1', '1.50', '-3', '10'][n % 4] ?? '0',
    count: n % 3 === 0 ? 2n ** 60n : -1n,
    day: ['2026-01-01', '2025-12-31'][n % 2] ?? '',
    sentAt: n % 3 === 0 ? null : new Date(Date.UTC(2026, 0, 1, 0, 0, 0, (n % 4) * 7)),
  }
}

async function insertParcels(owner: string, count: number): Promise<string[]> {
  const rows = Array.from({ length: count }, (_, n) => parcel(owner, n))
  await database.insert(parcels).values(rows)
  return rows.map(({ id }) => id)
}

interface Page {
  items: string[]
  nextCursor?: string
}

/** Reads all pages. `meanwhile` is done before each. */
async function walk(
  name: string,
  owner: string,
  limit: number,
  meanwhile = async () => {},
): Promise<string[]> {
  const seen: string[] = []
  let cursor: string | undefined
  do {
    await meanwhile()
    const query = new URLSearchParams({ owner, limit: `${limit}`, ...(cursor && { cursor }) })
    const page: Page = await expectJson<Page>(await api(`/${name}?${query}`))
    seen.push(...page.items)
    cursor = page.nextCursor
  } while (cursor)
  return seen
}

/** All ids as PostgreSQL sorts them. */
async function sorted(name: keyof typeof sorts, owner: string): Promise<string[]> {
  const rows = database.select().from(parcels).where(eq(parcels.owner, owner))
  return (await rows.orderBy(...sorts[name].orderBy)).map(({ id }) => id)
}

describe.each(names)('by %s', (name) => {
  test.each([1, 2, 7, 60])(
    'pages of %i show each row once, in order, though many are equal',
    async (limit) => {
      const owner = `${name}-${limit}`
      await insertParcels(owner, 60)
      expect(await walk(name, owner, limit)).toEqual(await sorted(name, owner))
    },
  )

  test('rows that come meanwhile hide none that was there, and none comes twice', async () => {
    const owner = `${name}-meanwhile`
    const before = await insertParcels(owner, 30)
    const seen = await walk(name, owner, 4, async () => void (await insertParcels(owner, 5)))
    expect(new Set(seen).size).toBe(seen.length)
    expect(seen).toEqual(expect.arrayContaining(before))
    const order = await sorted(name, owner)
    expect(seen).toEqual(order.filter((id) => seen.includes(id)))
  })
})

const [row] = [parcel('cursors', 1)] as [Parcel]
const good = sorts.many.encode(row)
const cursorOf = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url')
const values: unknown[] = JSON.parse(Buffer.from(good, 'base64url').toString())

describe('a cursor that no page of this sort has written is a 400', () => {
  const refused = async (name: string, cursor: string) => {
    const response = await api(`/${name}?${new URLSearchParams({ owner: 'x', limit: '1', cursor })}`)
    const { errors } = await expectProblem(response, 400, 'VALIDATION_FAILED')
    expect(errors).toEqual([
      { in: 'query', pointer: '#/cursor', detail: 'must be a nextCursor of an earlier response' },
    ])
  }

  test('that of another sort, of the opposite one too', async () => {
    await refused('heaviest', sorts.weight.encode(row))
    await refused('mixed', sorts.heaviest.encode(row))
  })

  test.each([
    ['kind', 1, 'huge'],
    ['paid', 2, 1],
    ['day', 3, '2026-02-30'],
    ['day', 3, '0000-01-01'],
    ['price', 4, 'NaN'],
    ['price', 4, 1],
    ['count', 5, '9223372036854775808'],
    ['count', 5, 1],
    ['id', 6, 'ABCDEF00-0000-0000-0000-000000000000'],
    ['id', 6, null],
    ['more', 7, 1],
  ])('one whose %s (%i) is %j', async (_column, index, value) => {
    await refused(
      'many',
      cursorOf(
        values.with === undefined || index >= values.length ? [...values, value] : values.with(index, value),
      ),
    )
  })

  test.each([
    ['an integer out of range', 'weight', 2 ** 31],
    ['a fraction', 'weight', 0.5],
    ['a text', 'weight', '1'],
    ['NUL', 'note', 'a\0'],
    ['half a character', 'note', '\ud800'],
    ['no moment', 'sent', '2026-13-01T00:00:00.000Z'],
    ['a moment of year 0', 'sent', '0000-01-01T00:00:00.000Z'],
  ] as const)('one with %s', async (_what, name, value) => {
    const written: unknown[] = JSON.parse(Buffer.from(sorts[name].encode(row), 'base64url').toString())
    await refused(name, cursorOf(written.with(1, value)))
  })

  test('one of JSON in another form, one that is too long, and the text of any other', async () => {
    await refused('many', Buffer.from(JSON.stringify(values, null, 1)).toString('base64url'))
    await refused('many', `${good}=`)
    await refused('note', sorts.note.encode({ ...row, note: 'x'.repeat(2000) }))
    for (const cursor of ['', 'page 2', 'e30', 'bnVsbA', good.slice(0, -3)]) await refused('many', cursor)
  })

  test('any value at all is refused, or is a position that PostgreSQL takes', async () => {
    const any = fc.tuple(fc.nat(6), fc.jsonValue())
    await fc.assert(
      fc.asyncProperty(any, async ([index, value]) => {
        const cursor = cursorOf(values.with(index, value))
        const response = await api(`/many?${new URLSearchParams({ owner: 'x', limit: '1', cursor })}`)
        expect([200, 400]).toContain(response.status)
      }),
      { numRuns: 60 },
    )
  })
})

test('an index on the columns serves a page', async () => {
  await onServer(databaseUrl, 'set enable_seqscan = off')
  const query = database
    .select()
    .from(parcels)
    .where(sorts.weight.after([1, row.id]))
  const { sql, params } = query
    .orderBy(...sorts.weight.orderBy)
    .limit(5)
    .toSQL()
  const literal = sql.replaceAll(/\$(\d)/g, (_, n) => (n === '3' ? '5' : `'${params[n - 1]}'`))
  const { rows } = await onServer(databaseUrl, `explain ${literal}`)
  const plan = rows.map((line) => line['QUERY PLAN']).join('\n')
  expect(plan).toMatch(/Index Scan using parcels_weight/)
  expect(plan).toMatch(/Index Cond: \(ROW\(weight, id\) > ROW/)
  expect(plan).not.toMatch(/Sort/)
})
