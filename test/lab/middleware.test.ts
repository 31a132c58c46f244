import { beforeAll, describe, expect, test } from 'vitest'
import {
  expectJson,
  expectLog,
  expectProblem,
  makeDatabase,
  type ServiceProcess,
  startService,
  temporaryFolder,
  workingCopy,
} from '#test/kit'
import { bundle } from '../../bundle.ts'

/** What stands below the middleware of app.ts. */
const below = '  const system = systemFeature('
let service: ServiceProcess

/** The lab with Hono's middleware in app.ts, where a fork has its own. */
beforeAll(async () => {
  const { folder, edit } = await workingCopy()
  const mounting = `for (const [name, middleware] of Object.entries(middlewares()))
    for (const path of ['/mounted/' + name, '/mounted/' + name + '/']) app.use(path, middleware as never)`
  await edit('src/app.ts', (text) =>
    `import { middlewares } from '#test/lab/routes/middleware.ts'\n${text}`.replace(
      below,
      `${mounting}\n${below}`,
    ),
  )
  const built = await temporaryFolder()
  await bundle({ lab: `${folder}/test/lab/service.ts` }, built)
  const variables = { DATABASE_URL: await makeDatabase(), REPLY_CHECK: 'fail' }
  service = await startService(variables, { file: `${built}/lab.js` })
})

const ask = (path: string, init: RequestInit & { duplex?: 'half' } = {}) =>
  fetch(`${service.url}${path}`, { redirect: 'manual', ...init })
const post = (path: string, body: string | ReadableStream, origin = 'https://evil.example') =>
  ask(path, {
    ...{ method: 'POST', body, duplex: 'half' },
    headers: { 'Content-Type': 'application/x-www-form-urlencoded', Origin: origin },
  })
const inChunks = (body: string) => new Blob([body]).stream()

describe.each(['routed', 'mounted'])('Hono’s middleware, %s', (where) => {
  test.each([
    {
      name: 'basicAuth',
      status: 401,
      code: 'UNAUTHORIZED',
      headers: { 'www-authenticate': 'Basic realm="Secure Area"' },
    },
    {
      name: 'bearerAuth',
      status: 401,
      code: 'UNAUTHORIZED',
      headers: { 'www-authenticate': 'Bearer realm=""' },
    },
    { name: 'ipDenied', status: 403, code: 'FORBIDDEN', headers: {} },
    { name: 'timeout', status: 504, code: 'GATEWAY_TIMEOUT', headers: {} },
  ])('$name refuses by a $status $code', async ({ name, status, code, headers }) => {
    const response = await ask(`/${where}/${name}`)
    expect(Object.fromEntries(response.headers)).toMatchObject(headers)
    await expectProblem(response, status, code)
  })

  test.each([
    ['basicAuth', { Authorization: `Basic ${btoa('ada:lovelace')}` }, {}],
    ['bearerAuth', { Authorization: 'Bearer secret' }, {}],
    ['cache', {}, { 'cache-control': null }], // there are no caches in Node
    ['compress', { 'Accept-Encoding': 'gzip' }, { 'content-encoding': 'gzip' }],
    ['contextStorage', {}, {}],
    ['cors', { Origin: 'https://shop.example' }, { 'access-control-allow-origin': 'https://shop.example' }],
    ['cors', { Origin: 'https://evil.example' }, { 'access-control-allow-origin': null }],
    ['ipAllowed', {}, {}],
    ['logger', {}, {}],
    ['poweredBy', {}, { 'x-powered-by': 'Hono' }],
    ['requestId', { 'X-Request-Id': 'mine' }, { 'x-request-id': 'mine' }],
    ['secureHeaders', {}, { 'x-download-options': 'noopen', 'x-frame-options': 'SAMEORIGIN' }],
    ['timing', {}, { 'server-timing': expect.stringContaining('total;dur=') }],
  ])('%s lets in %j', async (name, headers, expected) => {
    const response = await ask(`/${where}/${name}`, { headers })
    for (const [header, value] of Object.entries(expected))
      expect([header, response.headers.get(header)]).toEqual([header, value])
    const seen = await expectJson(response)
    expect(seen).toMatchObject({ name, stored: name === 'contextStorage', text: 'x'.repeat(2000) })
  })

  test('etag gives a tag, and a 304 to who has it', async () => {
    const tag = (await ask(`/${where}/etag`, { headers: { 'X-Request-Id': 'same' } })).headers.get('etag')
    const headers = { 'If-None-Match': tag ?? '', 'X-Request-Id': 'same' }
    expect((await ask(`/${where}/etag`, { headers })).status).toBe(304)
  })

  test('csrf refuses a form of another origin', async () => {
    await expectProblem(await post(`/${where}/csrf`, 'a=1'), 403, 'FORBIDDEN')
    await expectJson(await post(`/${where}/csrf`, 'a=1', 'https://shop.example'))
  })

  test('bodyLimit refuses a body over its limit, and leaves others to be read', async () => {
    for (const body of [(text: string) => text, inChunks]) {
      await expectProblem(await post(`/${where}/bodyLimit`, body('a=234567890')), 413, 'BODY_TOO_LARGE')
      expect(await expectJson(await post(`/${where}/bodyLimit`, body('a=2')))).toMatchObject({ text: '2' })
    }
  })

  test('prettyJSON writes the body again', async () => {
    const text = await (await ask(`/${where}/prettyJSON?pretty`)).text()
    expect(text).toMatch(/^\{\n {2}"name": "prettyJSON",\n/)
  })

  test('languageDetector keeps what it found in a cookie', async () => {
    const response = await ask(`/${where}/languageDetector?lang=ja`)
    expect(response.headers.getSetCookie()).toEqual([expect.stringMatching(/^language=ja; /)])
    expect(await expectJson(response)).toMatchObject({ language: 'ja' })
  })
})

test.each(['trimTrailingSlash', 'trimAlways'])('in app.ts, %s leads to the path without', async (name) => {
  for (const method of ['GET', 'HEAD']) {
    const response = await ask(`/mounted/${name}/`, { method })
    expect([response.status, new URL(response.headers.get('location') ?? '').pathname]).toEqual([
      ...[301, `/mounted/${name}`],
    ])
    expect([response.headers.get('content-type'), await response.text()]).toEqual([null, ''])
  }
  expect((await ask(`/mounted/${name}`)).status).toBe(200)
})

test('in app.ts, cors answers a preflight', async () => {
  const headers = { Origin: 'https://shop.example', 'Access-Control-Request-Method': 'POST' }
  const response = await ask('/mounted/cors', { method: 'OPTIONS', headers })
  expect([response.status, response.headers.get('access-control-allow-origin')]).toEqual([
    ...[204, 'https://shop.example'],
  ])
})

test('in app.ts, methodOverride reads a form that the route reads again; what it sends instead is refused', async () => {
  expect(await expectJson(await post('/mounted/methodOverride', 'a=1'))).toMatchObject({ text: '1' })
  await expectProblem(await post('/mounted/methodOverride', 'a=1&_method=DELETE'), 500, 'INTERNAL')
  await service.line(/A middleware responded to POST \/mounted\/methodOverride with 404/)
})

test('requestId gives the response no id but that of the log', async () => {
  const response = await ask('/mounted/requestId')
  const id = response.headers.get('x-request-id')
  await response.text()
  const own = () => expectLog(service.lines).find(({ message }) => message === 'GET /mounted/requestId 200')
  await expect
    .poll(own)
    .toMatchObject({ 'logging.googleapis.com/labels': { request_id: expect.any(String) } })
  const ids = expectLog(service.lines)
    .filter(({ message }) => message === 'GET /mounted/requestId 200')
    .map((entry) => (entry['logging.googleapis.com/labels'] as { request_id: string }).request_id)
  expect(ids).toContain(id)
})

test('every line of logger is an entry of the log', async () => {
  await (await ask('/mounted/logger')).text()
  await service.line(/--> GET \/mounted\/logger/)
  expectLog(service.lines)
})
