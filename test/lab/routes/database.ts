import { eq, sql } from 'drizzle-orm'
import { bigint, date, pgTable, text, uuid, varchar } from 'drizzle-orm/pg-core'
import {
  type Database,
  defineProblems,
  defineRoute,
  handle,
  json,
  jsonBody,
  mapRefusals,
  Problem,
  problems,
  z,
} from '#runtime'

/** A table as forks have them: its constraints are the last word on what callers send. The fork may have one of that name. */
export const createMembers = `
  drop table if exists members cascade;
  create table members (
    id uuid primary key default gen_random_uuid(),
    email text not null constraint members_email_key unique,
    name varchar(20) not null,
    age integer constraint members_age check (age <> 13),
    born date,
    friend uuid constraint members_friend references members,
    nickname text constraint members_unlisted unique
  )`

const members = pgTable('members', {
  id: uuid('id').primaryKey(),
  email: text('email').notNull(),
  name: varchar('name', { length: 20 }).notNull(),
  age: bigint('age', { mode: 'number' }),
  born: date('born'),
  friend: text('friend'),
  nickname: text('nickname'),
})

/** The problems of members. */
export const memberProblems = defineProblems({
  EMAIL_TAKEN: { status: 409, title: 'Somebody has this e-mail address' },
  FRIEND_UNKNOWN: { status: 422, title: 'There is no such friend' },
  AGE_REFUSED: { status: 422, title: 'Nobody is 13' },
})

const Count = z.object({ count: z.int() }).openapi({ example: { count: 1 } })
const Member = z
  .strictObject({
    email: z.string(),
    name: z.string().nullable(),
    age: z.number().optional(),
    born: z.string().optional(),
    friend: z.string().optional(),
    nickname: z.string().optional(),
  })
  .openapi({ example: { email: 'a@example.com', name: 'Ada' } })
const counted = { 200: json('How many', Count) }

const sleep = defineRoute({
  method: 'get',
  path: '/database/sleep',
  operationId: 'sleep',
  summary: 'Wait for a statement that takes an hour',
  security: 'public',
  responses: counted,
})
const beside = defineRoute({ ...sleep, path: '/database/beside', operationId: 'beside' })
const asleep = defineRoute({ ...sleep, path: '/database/asleep', operationId: 'asleep' })
const count = defineRoute({ ...sleep, path: '/database/count', operationId: 'countMembers' })
const both = defineRoute({ ...sleep, path: '/database/both', operationId: 'both' })
const oldest = defineRoute({ ...sleep, path: '/database/oldest', operationId: 'oldest' })

const join = defineRoute({
  method: 'post',
  path: '/database/members',
  operationId: 'join',
  summary: 'Become a member',
  security: 'authenticated',
  idempotent: true,
  request: { body: jsonBody(Member) },
  responses: { 201: json('How many there are', Count) },
  problems: [...Object.values(memberProblems)],
})
const outside = defineRoute({ ...join, path: '/database/outside', operationId: 'outside' })

/** What forks do with the database. */
export function databaseRoutes(database: Database) {
  const countOn = async (on: Pick<Database, '$count'>) => on.$count(members)
  const sleepOn = (on: Pick<Database, 'execute'>) => on.execute(sql`select pg_sleep(3600)`)
  const findOldest = database
    .select({ age: members.age })
    .from(members)
    .where(eq(members.email, sql.placeholder('email')))
    .prepare('find_oldest')

  return [
    handle(count, async (c) => c.json({ count: await countOn(database) }, 200)),
    handle(sleep, async (c) => {
      await sleepOn(database)
      return c.json({ count: 0 }, 200)
    }),
    // one begun, and another waited for first: if both fail, nobody waits for the first any more
    handle(beside, async (c) => {
      const first = sleepOn(database).then(() => {})
      await database.execute(sql`select pg_sleep(3600)`)
      await first
      return c.json({ count: 0 }, 200)
    }),
    handle(asleep, async (c) => {
      await database.transaction(async (tx) => {
        await tx.insert(members).values({ id: crypto.randomUUID(), email: crypto.randomUUID(), name: 'A' })
        await sleepOn(tx)
      })
      return c.json({ count: 0 }, 200)
    }),
    handle(both, async (c) => {
      const counts = await Promise.all([1, 2].map(() => database.transaction(countOn)))
      return c.json({ count: counts.length }, 200)
    }),
    handle(oldest, async (c) => {
      const [row] = await findOldest.execute({ email: 'a@example.com' })
      return c.json({ count: Number(row?.age) }, 200)
    }),
    handle(join, async (c) => {
      const { tx } = c.var
      const values = { id: crypto.randomUUID(), ...c.req.valid('json') } as typeof members.$inferInsert
      await mapRefusals(tx.insert(members).values(values), {
        constraints: {
          members_email_key: memberProblems.EMAIL_TAKEN,
          members_friend: memberProblems.FRIEND_UNKNOWN,
          members_age: () => new Problem(memberProblems.AGE_REFUSED, { detail: 'Come back in a year.' }),
        },
        values: () => new Problem(problems.VALIDATION_FAILED, { detail: 'A value cannot be stored.' }),
      })
      return c.json({ count: await countOn(tx) }, 201)
    }),
    handle(outside, async (c) => c.json({ count: await countOn(database) }, 201)),
  ]
}
