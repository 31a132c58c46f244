import { readdirSync, readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { importOrders } from '#src/orders/imports/tasks.ts'
import { expectJson, expectProblem, taskService } from '#test/kit'
import { fileOf, type Import, importer } from './imports.ts'

const service = await taskService()
const alice = await importer(service)

describe('a file of orders', () => {
  test('is taken with 202, and each row becomes an order that is fulfilled', async () => {
    const response = await alice.upload('item,quantity\nTeapot,2\n"Cup, ""blue""",6\n')
    const begun = await expectJson<Import>(response, 202)
    expect(begun).toEqual({
      ...{ id: expect.any(String), state: 'reading', rows: 0, placed: 0, refused: 0, errors: [] },
      createdAt: expect.any(String),
    })
    expect(response.headers.get('location')).toBe(`/orders/imports/${begun.id}`)
    await service.drain({ until: '1m' })
    expect(await alice.show(begun)).toEqual({ ...begun, state: 'done', rows: 2, placed: 2 })
    const api = await service.as('alice', ['orders:read'])
    expect(await expectJson(await api('/orders'))).toMatchObject({
      items: expect.arrayContaining([
        expect.objectContaining({ item: 'Teapot', quantity: 2, status: 'fulfilled' }),
        expect.objectContaining({ item: 'Cup, "blue"', quantity: 6, status: 'fulfilled' }),
      ]),
    })
    await service.expectSteps(importOrders, ['read', 'place'])
  })

  test('may come from a spreadsheet: with a byte order mark, CRLF, quotation marks and empty lines', async () => {
    const begun = await alice.begin('\ufeff"item","quantity"\r\n\r\n"Two\r\nlines","1"\r\n\r\nJug,3')
    await service.drain({ until: '1m' })
    expect(await alice.show(begun)).toMatchObject({ state: 'done', rows: 2, placed: 2, refused: 0 })
    expect(await alice.items()).toEqual(expect.arrayContaining(['Two\nlines', 'Jug']))
  })

  test('may have wrong rows: each is named by its line, and the others are placed', async () => {
    const begun = await alice.begin('item,quantity\nA1,1\n"A\n2",0\nA3\nA4,1,2\n,5\nA5,2.5\nA6,many\nA7,7\n')
    await service.drain({ until: '1m' })
    expect(await alice.show(begun)).toMatchObject({
      ...{ state: 'done', rows: 8, placed: 2, refused: 6 },
      errors: [
        { line: 3, detail: 'quantity: Too small: expected number to be >=1' },
        { line: 5, detail: 'It has 1 values in place of 2: item,quantity' },
        { line: 6, detail: 'It has 3 values in place of 2: item,quantity' },
        { line: 7, detail: 'item: Too small: expected string to have >=1 characters' },
        { line: 8, detail: 'quantity: Invalid input: expected number, received string' },
        { line: 9, detail: 'quantity: Invalid input: expected number, received string' },
      ],
    })
    expect((await alice.items()).filter((item) => item.startsWith('A'))).toEqual(['A1', 'A7'])
  })

  test('may have wrong rows alone: 100 errors are shown, and all are counted', async () => {
    const begun = await alice.begin(`item,quantity\n${'None,0\n'.repeat(4999)}`)
    await service.drain({ until: '1m' })
    const ended = await alice.show(begun)
    expect(ended).toMatchObject({ state: 'done', rows: 4999, placed: 0, refused: 4999 })
    expect(ended.errors.map(({ line }) => line)).toEqual(Array.from({ length: 100 }, (_, index) => index + 2))
  })

  test.each([
    ['that is open to the end', `"Jar,1\n${'x,1\n'.repeat(900)}`],
    ['that is open at the end', '"Jar,1\n'],
    ['inside a value', 'Jar "blue",1\n'],
    ['behind a value', '"Jar"s,1\n'],
  ])('with a quotation mark %s fails whole, and says at which line', async (_what, rows) => {
    const before = await alice.items()
    const begun = await alice.begin(`${fileOf(600)}${rows}`)
    await service.drain({ until: '1m' })
    expect(await alice.show(begun)).toMatchObject({
      ...{ state: 'failed', placed: 0 },
      failure: 'Line 602 cannot be read: a quotation mark is missing, or one is too many.',
    })
    expect(await alice.items()).toEqual(before)
  })
})

test.each([
  ['nothing', ''],
  ['a header alone', 'item,quantity\n\r\n'],
  ['no header', 'Teapot,2\n'],
  ['other columns', 'quantity,item\n2,Teapot\n'],
  ['a semicolon between the values', 'item;quantity\nTeapot;2\n'],
  ['5,001 lines', `item,quantity\n${'Teapot,2\n'.repeat(5000)}`],
])('a file with %s is refused: 400', async (_what, body) => {
  const problem = await expectProblem(await alice.upload(body), 400, 'VALIDATION_FAILED')
  expect(problem.errors).toEqual([
    { detail: expect.stringMatching(/must begin with|5000 lines/), in: 'body', pointer: '#' },
  ])
})

test('a file that is not UTF-8, that is too large or of another type is refused', async () => {
  const latin = Buffer.from('item,quantity\nThé,1\n', 'latin1')
  await expectProblem(await alice.upload(new Uint8Array(latin)), 400, 'MALFORMED_REQUEST')
  const large = `item,quantity\n${'x'.repeat(2 ** 20)},1\n`
  await expectProblem(await alice.upload(large), 413, 'BODY_TOO_LARGE')
  const excel = { 'Content-Type': 'application/vnd.ms-excel' }
  await expectProblem(await alice.upload(fileOf(1), excel), 415, 'UNSUPPORTED_MEDIA_TYPE')
})

test('a file that is sent twice with one key is one import', async () => {
  const key = { 'Idempotency-Key': 'twice' }
  const [first, second] = [await alice.upload(fileOf(2), key), await alice.upload(fileOf(2), key)]
  expect(second.headers.get('location')).toBe(first.headers.get('location'))
  expect(second.headers.get('idempotency-replayed')).toBe('true')
  await service.drain({ until: '1m' })
  expect((await alice.items()).filter((item) => item === 'Cup 0001')).toHaveLength(1)
  await expectProblem(await alice.upload(fileOf(3), key), 422, 'IDEMPOTENCY_KEY_REUSED')
})

test('an import is its owner’s alone', async () => {
  const { id } = await alice.begin(fileOf(1))
  const bob = await service.as('bob', ['orders:read', 'orders:write'])
  await expectProblem(await bob(`/orders/imports/${id}`), 404, 'IMPORT_NOT_FOUND')
  await expectProblem(
    await (await service.as('alice', ['orders:write']))(`/orders/imports/${id}`),
    403,
    'SCOPE_MISSING',
  )
  const reader = await service.as('alice', ['orders:read'])
  const headers = { 'Content-Type': 'text/csv' }
  await expectProblem(await reader('/orders/imports', { body: fileOf(1), headers }), 403, 'SCOPE_MISSING')
})

test('the CSV parser is no part of what an instance reads when it starts', () => {
  const bundles = readdirSync('dist').filter((name) => name.endsWith('.js'))
  const having = bundles.filter((name) =>
    readFileSync(`dist/${name}`, 'utf8').includes('CSV_QUOTE_NOT_CLOSED'),
  )
  expect(having).toEqual([expect.stringMatching(/^(?!service|migrate|main)/)])
})
