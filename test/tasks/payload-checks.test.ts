import { describe, expect, test } from 'vitest'
import { z } from 'zod'
import { defineSchedule, defineTask } from '#runtime'
import { roundTripJson } from '#src/runtime/tasks/task.ts'

const define = (payload: z.ZodType) => defineTask({ name: 'trial.work', payload, async run() {} })
const inside = (field: z.ZodType) => z.object({ lines: z.array(z.object({ field })) })

describe('a payload that JSON cannot hold is refused where its task is defined', () => {
  test.each([
    ['z.date()', z.date(), 'JSON has no dates. Write z.iso.datetime()'],
    ['z.bigint()', z.bigint(), 'JSON has no bigint. Write z.int()'],
    ['z.map()', z.map(z.string(), z.int()), 'JSON has no maps. Write z.record()'],
    ['z.set()', z.set(z.string()), 'JSON has no sets. Write z.array()'],
    ['z.undefined()', z.undefined(), 'JSON has no undefined. Write .optional()'],
    ['a union with undefined', z.union([z.string(), z.undefined()]), 'JSON has no undefined'],
    ['z.void()', z.void(), 'JSON has no void. Write z.object({})'],
    ['z.nan()', z.nan(), 'JSON has no NaN. Write z.null()'],
    ['z.symbol()', z.symbol(), 'JSON has no symbols'],
    ['z.literal(1n)', z.literal(1n), 'JSON has no bigint'],
    ['z.file()', z.file(), 'JSON has no files. Store the file elsewhere'],
    ['z.instanceof()', z.instanceof(URL), 'z.custom() and z.instanceof() do not say what JSON holds'],
    ['z.promise()', z.promise(z.string()), 'JSON has no promises'],
    ['a date behind .default()', z.date().default(new Date(0)), 'JSON has no dates'],
    ['a date before a transformation', z.date().transform(String), 'JSON has no dates'],
    ['an asynchronous refinement', z.string().refine(async () => true), 'it is checked synchronously'],
    ['an asynchronous check', z.string().check(async () => {}), 'it is checked synchronously'],
    ['an asynchronous transformation', z.string().transform(async (id) => id), 'it is checked synchronously'],
  ])('%s', (_what, schema, mend) => {
    const refused = () => define(inside(schema))
    expect(refused).toThrow(TypeError)
    expect(refused).toThrow('The task trial.work: its payload cannot be stored (lines[].field): ')
    expect(refused).toThrow(mend)
  })

  test.each([
    ['an array', z.object({ list: z.array(z.string().optional()) })],
    ['an array, with a default', z.object({ list: z.array(z.string().default('')) })],
    ['a tuple', z.object({ list: z.tuple([z.int(), z.int().optional()]) })],
  ])('undefined in %s', (_what, schema) => {
    expect(() => define(schema)).toThrow(
      '(list[]): JSON writes undefined in a list as null. Write .nullable()',
    )
  })

  test.each([
    ['optional', z.object({}).optional()],
    ['a default', z.object({}).default({})],
    ['z.undefined()', z.undefined()],
    ['z.void()', z.void()],
    ['a union with undefined', z.union([z.string(), z.undefined()])],
  ])('one that may be left out: %s', (_what, schema) => {
    const mend = 'cannot be stored (the top level): undefined is stored as null. Write z.object({}).'
    expect(() => define(schema)).toThrow(`its payload ${mend}`)
    const signals = { sent: schema }
    const task = () => defineTask({ name: 'trial.work', payload: z.object({}), signals, async run() {} })
    expect(task).toThrow(`its signal sent ${mend}`)
  })

  test('a schema that contains itself is looked through once', () => {
    const Tree = z.object({
      at: z.date(),
      get children() {
        return z.array(Tree)
      },
    })
    expect(() => define(Tree)).toThrow('(at): JSON has no dates')
  })
})

const moment = '2026-11-28T09:30:00.000Z'

describe('what comes back as it was given is taken', () => {
  test.each<[string, z.ZodType, unknown]>([
    ['a transformation of text', z.iso.datetime().transform((text) => new Date(text)), moment],
    [
      'a codec of text',
      z.codec(z.string(), z.date(), { decode: (text) => new Date(text), encode: String }),
      moment,
    ],
    ['z.coerce.date(), which reads its own text', z.coerce.date(), new Date(moment)],
    ['z.coerce.bigint(), which reads digits', z.coerce.bigint(), '12'],
    ['a refinement', z.string().refine((text) => text !== ''), 'a'],
    ['an optional field', z.string().optional(), undefined],
    ['an optional field with a default', z.string().default('a'), undefined],
    ['nullable things in a list', z.array(z.string().nullable()), ['a', null]],
    ['nullish things in a list', z.array(z.string().nullish()), ['a', undefined]],
    ['anything', z.unknown(), { a: [1, 'b', null] }],
    ['JSON', z.json(), { a: [1, 'b', null] }],
    ['a record', z.record(z.string(), z.int().optional()), { a: 1, b: undefined }],
    ['a literal', z.literal(['a', 1, null, true]), null],
    ['z.stringbool()', z.stringbool(), 'yes'],
    ['what preprocesses', z.preprocess((given) => given, z.string()), 'a'],
  ])('%s', (_what, schema, value) => {
    const task = define(inside(schema))
    expect(task.payload.safeParse(roundTripJson(task, { lines: [{ field: value }] })).success).toBe(true)
  })
})

test.each([
  ['a bigint', { id: 1n }],
  ['what contains itself', { id: Object.assign([], { 0: globalThis }) }],
])('a schedule whose payload holds %s is refused by its own name', (_what, payload) => {
  const task = define(z.object({ id: z.unknown() }))
  const schedule = () =>
    defineSchedule({ name: 'trial.nightly', cron: '0 3 * * *', timeZone: 'UTC', task, payload })
  expect(schedule).toThrow(TypeError)
  expect(schedule).toThrow(
    'The schedule trial.nightly: The task trial.work: its payload cannot be stored as JSON.',
  )
})
