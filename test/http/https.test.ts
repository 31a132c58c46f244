import { describe, expect, test } from 'vitest'
import { expectJson, expectProblem } from '#test/support/expect.ts'
import { noDatabase } from '#test/support/feature.ts'
import { noteScopes, notes } from '#test/support/notes.ts'
import { testService } from '#test/support/service.ts'
import { as } from '#test/support/tokens.ts'

const SERVICE_URL = 'https://orders.example.com'
const plain = { 'X-Forwarded-Proto': 'http' }
const hosts = { SERVICE_URL, ALLOWED_HOSTS: 'orders.example.org, Orders.Example.net:8443' }
const service = await testService({ databaseUrl: noDatabase, features: [notes], environment: hosts })

describe('a request over plain http', () => {
  test.each(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'PROPFIND'])(
    'is sent to https with 308, whether the route takes %s or not',
    async (method) => {
      for (const path of ['/ping', '/notes', '/nowhere']) {
        const answer = await service.api(`${path}?a=1`, { method, headers: plain })
        expect(answer.status).toBe(308)
        expect(answer.headers.get('location')).toBe(`${SERVICE_URL}${path}?a=1`)
        expect(answer.headers.get('cache-control')).toBe('max-age=300')
        expect(answer.headers.get('strict-transport-security')).toBeNull()
        expect(answer.headers.get('x-request-id')).not.toBeNull()
        expect(await answer.text()).toBe('')
      }
    },
  )

  test('does nothing but redirect: no body is read, no note written', async () => {
    const answer = await service.api('/notes', { json: { text: 'Tea' }, headers: plain })
    expect(answer.status).toBe(308)
    expect(answer.headers.get('location')).toBe(`${SERVICE_URL}/notes`)
  })

  test.each([
    ['orders.example.com', 'orders.example.com'],
    ['orders.example.org', 'orders.example.org'],
    ['ORDERS.example.ORG', 'orders.example.org'],
    ['orders.example.net:8443', 'orders.example.net:8443'],
    ['orders.example.net', 'orders.example.com'],
    ['evil.example', 'orders.example.com'],
    ['orders.example.org.evil.example', 'orders.example.com'],
  ])('to the host %s goes to %s', async (host, target) => {
    const answer = await service.api('/ping', { headers: { ...plain, Host: host } })
    expect(answer.headers.get('location')).toBe(`https://${target}/ping`)
  })

  test.each(['X-Forwarded-Host', 'Forwarded', 'X-Original-Host', 'X-Host'])(
    'never goes to the host that %s claims',
    async (name) => {
      for (const claim of ['evil.example', 'host=evil.example', 'orders.example.org']) {
        const answer = await service.api('/ping', { headers: { ...plain, [name]: claim } })
        expect(answer.headers.get('location')).toBe(`${SERVICE_URL}/ping`)
      }
    },
  )

  test.each(['http', 'HTTP', ' http', 'http,https', 'http, http'])(
    'is known by the first scheme in X-Forwarded-Proto: %j',
    async (scheme) => {
      expect((await service.api('/ping', { headers: { 'X-Forwarded-Proto': scheme } })).status).toBe(308)
    },
  )

  test.each([
    ['Authorization', 'Bearer secret-credential'],
    ['Cookie', 'session=secret-credential'],
  ])('that carries %s in clear is a warning in the log, without the credential', async (name, value) => {
    service.lines.length = 0
    const answer = await service.api('/notes?a=secret-credential', { headers: { ...plain, [name]: value } })
    expect(answer.status).toBe(308)
    const warnings = service.lines.filter(({ severity }) => severity === 'WARNING')
    expect(warnings).toEqual([
      expect.objectContaining({ message: expect.stringContaining('in clear'), path: '/notes' }),
    ])
    expect(JSON.stringify(service.lines)).not.toContain('secret-credential')
  })

  test('with a credential is a 403 where that is configured, the same for a good one and a bad one', async () => {
    const environment = { ...hosts, HTTP_CREDENTIALS: 'refuse' }
    const refusing = await testService({ databaseUrl: noDatabase, features: [notes], environment })
    const good = await as('alice', noteScopes)
    const credentials = [
      good,
      { Authorization: 'Bearer secret-credential' },
      { Authorization: 'Basic secret-credential' },
      { Cookie: 'session=secret-credential' },
      { 'X-Api-Key': 'secret-credential' },
      { 'X-Serverless-Authorization': 'Bearer secret-credential' },
      { 'Proxy-Authorization': 'Basic secret-credential' },
    ]
    for (const path of ['/ping', '/notes', '/nowhere']) {
      for (const credential of credentials) {
        for (const method of ['GET', 'POST']) {
          const response = await refusing.api(path, { method, headers: { ...plain, ...credential } })
          expect(response.headers.get('location')).toBeNull()
          expect(response.headers.get('www-authenticate')).toBeNull()
          const problem = await expectProblem(response, 403, 'CREDENTIAL_IN_CLEAR')
          expect(problem.detail).toContain('Replace it')
        }
      }
      expect((await refusing.api(path, { headers: plain })).status).toBe(308)
      expect((await refusing.api(path, { headers: good })).status).not.toBe(403)
    }
    expect(refusing.lines.filter(({ message }) => /in clear/.test(String(message)))).toHaveLength(42)
    expect(JSON.stringify(refusing.lines)).not.toContain('secret-credential')
  })

  test('without a credential warns of nothing', async () => {
    service.lines.length = 0
    await service.api('/notes', { headers: plain })
    expect(service.lines.map(({ severity }) => severity)).toEqual(['INFO'])
  })

  test('is a problem that says what to set where the service knows no host of its own', async () => {
    const { api } = await testService({ databaseUrl: noDatabase, features: [] })
    const answer = await api('/ping', { headers: { ...plain, Host: 'orders.example.com' } })
    expect(answer.headers.get('location')).toBeNull()
    const problem = await expectProblem(answer, 400, 'HTTPS_REQUIRED')
    expect(problem.detail).toContain('SERVICE_URL')
  })

  test('goes to the first of ALLOWED_HOSTS where there is no SERVICE_URL', async () => {
    const environment = { ALLOWED_HOSTS: 'a.example.com,b.example.com' }
    const { api } = await testService({ databaseUrl: noDatabase, features: [], environment })
    const location = async (host: string) =>
      (await api('/ping', { headers: { ...plain, Host: host } })).headers.get('location')
    expect(await location('b.example.com')).toBe('https://b.example.com/ping')
    expect(await location('c.example.com')).toBe('https://a.example.com/ping')
  })
})

describe('Strict-Transport-Security', () => {
  const secure = { 'X-Forwarded-Proto': 'https' }

  test('lasts a year on every answer over https, problems too, and leaves subdomains alone', async () => {
    for (const path of ['/ping', '/nowhere', '/notes']) {
      const response = await service.api(path, { headers: secure })
      expect(response.headers.get('strict-transport-security')).toBe('max-age=31536000')
    }
  })

  test('includes subdomains where that is configured', async () => {
    const environment = { ...hosts, HSTS_INCLUDE_SUBDOMAINS: 'true' }
    const { api } = await testService({ databaseUrl: noDatabase, features: [], environment })
    const response = await api('/ping', { headers: secure })
    expect(response.headers.get('strict-transport-security')).toBe('max-age=31536000; includeSubDomains')
  })

  test.each([{}, { 'X-Forwarded-Proto': '' }, { 'X-Forwarded-Proto': 'rubbish' }])(
    'is absent where the scheme is not known to be https: %j, and the request passes',
    async (headers) => {
      const response = await service.api('/ping', { headers })
      expect(response.headers.get('strict-transport-security')).toBeNull()
      expect(await expectJson(response)).toEqual({ status: 'ok' })
    },
  )
})
