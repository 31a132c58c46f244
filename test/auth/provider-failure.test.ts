import { generateKeyPairSync } from 'node:crypto'
import { afterEach, expect, test, vi } from 'vitest'
import { expectJson, expectProblem } from '#test/support/expect.ts'
import { noDatabase } from '#test/support/feature.ts'
import { bearer, providerKey } from '#test/support/forge.ts'
import { type Provider, providerToken, startProvider } from '#test/support/provider.ts'
import { testService } from '#test/support/service.ts'

const key = providerKey('one', 'RS256')
const noon = Date.parse('2026-06-01T12:00:00.000Z')

afterEach(() => {
  vi.useRealTimers()
})

const rubbish: Record<string, Provider['answer']> = {
  'answers 500': (_request, response) => void response.writeHead(500).end('broken'),
  'answers 500 with a page of a megabyte': (_request, response) =>
    void response.writeHead(500).end('x'.repeat(1_000_000)),
  'answers 404': (_request, response) => void response.writeHead(404).end(),
  'answers 204': (_request, response) => void response.writeHead(204).end(),
  'answers with nothing': (_request, response) => void response.end(),
  'answers with a page': (_request, response) => void response.end('<html>Sign in</html>'),
  'answers with a number': (_request, response) => void response.end('1'),
  'answers with null': (_request, response) => void response.end('null'),
  'answers with an empty object': (_request, response) => void response.end('{}'),
  'answers with keys that are none': (_request, response) => void response.end('{"keys":[1]}'),
  'answers with keys that are no list': (_request, response) => void response.end('{"keys":{}}'),
  'answers with half of its keys': (_request, response) =>
    void response.end(JSON.stringify({ keys: [key.jwk] }).slice(0, 100)),
  'breaks off': (_request, response) => {
    response.writeHead(200, { 'Content-Length': 1000 })
    response.write('{"keys":[', () => response.destroy())
  },
  'answers without an end': (_request, response) => {
    const more = () => void response.write(' '.repeat(65_536), more)
    response.on('error', () => {})
    more()
  },
  'hangs up': (request) => void request.socket.destroy(),
  'speaks another language': (request) => void request.socket.end('SSH-2.0-OpenSSH\r\n'),
}

test.each(Object.entries(rubbish))(
  'a provider that %s is a 503, not the token’s fault',
  async (_name, answer) => {
    const { provider, ask } = await serve()
    provider.answer = answer
    await expectUnavailable(await ask(providerToken(key)))
  },
)

const { n: _n, ...withoutModulus } = key.jwk
const badKeys: Record<string, object> = {
  'lacks its modulus': withoutModulus,
  'has a modulus of no letters': { ...key.jwk, n: '!!' },
  'has a number for a modulus': { ...key.jwk, n: 7 },
  'has a modulus of a few bits': { ...key.jwk, n: 'AQAB' },
  'has a modulus of 1024 bits': generateKeyPairSync('rsa', { modulusLength: 1024 }).publicKey.export({
    format: 'jwk',
  }),
  'is a private one': key.privateKey.export({ format: 'jwk' }),
}

test.each(Object.entries(badKeys))('a provider whose key %s is a 503', async (_name, jwk) => {
  const { provider, ask } = await serve()
  provider.keys = [{ ...jwk, kid: 'one', alg: 'RS256' }]
  await expectUnavailable(await ask(providerToken(key)))
})

test('a provider that redirects is not followed', async () => {
  const elsewhere = await startProvider(key)
  const { provider, ask } = await serve()
  for (const status of [301, 302, 307, 308]) {
    provider.answer = (_request, response) =>
      void response.writeHead(status, { Location: elsewhere.url }).end()
    await expectUnavailable(await ask(providerToken(key)))
  }
  expect(elsewhere.requests).toEqual([])
})

test('a provider that is down is a 503', async () => {
  const { provider, ask } = await serve()
  await provider.stop()
  await expectUnavailable(await ask(providerToken(key)))
})

test.each(['its headers', 'its body'])(
  'a provider that is slow with %s is given five seconds',
  async (part) => {
    const { provider, ask } = await serve()
    const asked = Promise.withResolvers<void>()
    const closed = Promise.withResolvers<void>()
    provider.answer = (request, response) => {
      if (part === 'its body') response.write('{"keys":')
      request.socket.once('error', () => {}).once('close', closed.resolve)
      asked.resolve()
    }
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    const answer = ask(providerToken(key))
    await asked.promise
    vi.advanceTimersByTime(4_999)
    expect(vi.getTimerCount()).toBeGreaterThan(0)
    vi.advanceTimersByTime(1)
    await expectUnavailable(await answer)
    await closed.promise
    expect(vi.getTimerCount()).toBe(0)
  },
)

test.each(Object.entries(badKeys))(
  'beside good keys, one that %s is nobody’s: a token that names it is a 401, and no error of ours',
  async (_name, jwk) => {
    const { provider, ask, lines } = await serve()
    provider.keys = [{ ...jwk, kid: 'bad', alg: 'RS256' }, key.jwk]
    await expectProblem(await ask(providerToken(key, {}, { kid: 'bad' })), 401, 'TOKEN_INVALID')
    await expectJson(await ask(providerToken(key)))
    expect(lines.filter(({ severity }) => severity === 'ERROR')).toEqual([])
  },
)

test('a failure answers for five seconds from its end, so that a crowd does not queue at a dead provider', async () => {
  vi.useFakeTimers({ toFake: ['Date'], now: noon })
  const { provider, ask } = await serve()
  provider.answer = (_request, response) => {
    vi.setSystemTime(noon + 4_000) // it took its time
    response.writeHead(500).end()
  }
  for (let attempt = 0; attempt < 10; attempt++) await expectUnavailable(await ask(providerToken(key)))
  expect(provider.requests).toHaveLength(1)

  provider.answer = undefined
  vi.setSystemTime(noon + 8_999)
  await expectUnavailable(await ask(providerToken(key)))
  vi.setSystemTime(noon + 9_000)
  await expectJson(await ask(providerToken(key)))
  expect(provider.requests).toHaveLength(2)
})

test('known keys stay good for an hour while the provider is down', async () => {
  vi.useFakeTimers({ toFake: ['Date'], now: noon })
  const { provider, ask } = await serve()
  await expectJson(await ask(providerToken(key)))
  provider.answer = (_request, response) => void response.writeHead(500).end()
  for (const minute of [10, 11, 30, 59]) {
    vi.setSystemTime(noon + minute * 60_000)
    for (const again of [1, 2, 3]) {
      await expectJson(await ask(providerToken(key, { sub: `user ${minute} ${again}` })))
    }
  }
  expect(provider.requests, 'one in five seconds').toHaveLength(1 + 4)
  vi.setSystemTime(noon + 3_600_000)
  await expectUnavailable(await ask(providerToken(key, { sub: 'late' })))

  provider.answer = undefined
  vi.setSystemTime(noon + 3_605_000)
  await expectJson(await ask(providerToken(key, { sub: 'late' })))
})

test('while one request waits for fresh keys, the others go on with those that are known', async () => {
  vi.useFakeTimers({ toFake: ['Date'], now: noon })
  const { provider, ask } = await serve()
  await expectJson(await ask(providerToken(key)))
  const asked = Promise.withResolvers<() => void>()
  provider.answer = (_request, response) =>
    asked.resolve(() => response.end(JSON.stringify({ keys: [key.jwk] })))
  vi.setSystemTime(noon + 600_000)
  const first = ask(providerToken(key, { sub: 'first' }))
  const answer = await asked.promise
  await expectJson(await ask(providerToken(key, { sub: 'second' })))
  answer()
  await expectJson(await first)
  expect(provider.requests).toHaveLength(2)
})

test('known keys go on while the provider is down; an unknown kid is a 503, for it may be a new key', async () => {
  vi.useFakeTimers({ toFake: ['Date'], now: noon })
  const { provider, ask } = await serve()
  await expectJson(await ask(providerToken(key)))
  provider.answer = (_request, response) => void response.writeHead(500).end()
  vi.setSystemTime(noon + 30_000)
  for (const _again of [1, 2]) await expectUnavailable(await ask(providerToken(key, {}, { kid: 'two' })))
  await expectJson(await ask(providerToken(key, { sub: 'bob' })))
  expect(provider.requests).toHaveLength(2)
})

test('a route that takes no token does not mind', async () => {
  const { provider, api } = await serve()
  await provider.stop()
  await expectJson(await api('/ping'))
})

test('what went wrong is in the log, and in no answer', async () => {
  const { provider, ask, lines } = await serve()
  provider.answer = (_request, response) => void response.writeHead(502).end()
  const answer = await ask(providerToken(key))
  expect(await answer.text()).not.toContain(provider.url)
  const line = lines.find(({ code }) => code === 'IDENTITY_UNAVAILABLE')
  expect(line).toMatchObject({ severity: 'ERROR', stack_trace: expect.stringContaining('the status 502') })
})

async function expectUnavailable(answer: Response): Promise<void> {
  expect(answer.headers.get('retry-after')).toBe('5')
  expect(answer.headers.get('www-authenticate')).toBeNull()
  await expectProblem(answer, 503, 'IDENTITY_UNAVAILABLE')
}

async function serve() {
  const provider = await startProvider(key)
  const service = await testService({
    databaseUrl: noDatabase,
    features: [],
    environment: provider.environment,
  })
  const ask = (token: string) => service.api('/auth/version', { headers: bearer(token) })
  return { provider, ask, ...service }
}
