import { createHash } from 'node:crypto'
import { expect, test } from 'vitest'
import { parseConfig } from '#src/runtime/config/config.ts'
import { client } from '#test/support/client.ts'
import { expectJson, expectProblem } from '#test/support/expect.ts'
import { noDatabase } from '#test/support/feature.ts'
import { startService } from '#test/support/process.ts'
import { testService } from '#test/support/service.ts'

test.each([
  [{ ENVIRONMENT: 'development' }, true],
  [{ ENVIRONMENT: 'staging' }, true],
  [{ ENVIRONMENT: 'live' }, false],
  [{ ENVIRONMENT: 'live', DOCS: 'true' }, true],
  [{ ENVIRONMENT: 'development', DOCS: 'false' }, false],
] as [Record<string, string>, boolean][])('%o has the page: %s', async (environment, isOn) => {
  const { api } = await testService({ databaseUrl: noDatabase, environment })
  for (const path of ['/docs', '/docs/docs.js']) {
    if (isOn) expect((await api(path)).status).toBe(200)
    else await expectProblem(await api(path), 404, 'NOT_FOUND')
  }
  const contract = await expectJson(await api('/openapi.json'))
  expect(Object.keys(contract.paths as object)).not.toContain('/docs')
  expect(JSON.stringify(contract.tags)).not.toContain('docs')
})

test('on Cloud Run, no token may be on the page', () => {
  expect(() => parseConfig({ K_SERVICE: 'orders', DOCS_TOKEN: 'a.b.c' })).toThrow(
    'DOCS_TOKEN: must be unset on Cloud Run: it is for development, and anybody can read it on the page',
  )
})

test('the bundle finds the page, its style, its script and Scalar’s, with its licence', async () => {
  const { url } = await startService()
  const html = await (await fetch(`${url}/docs`)).text()
  const names = [...html.matchAll(/(?:src|href)="(docs\/[^"]+)"/g)].map(([, name = '']) => name)
  expect(names).toEqual(['docs/docs.css', 'docs/docs.js', 'docs/scalar.js'])
  const [style = '', , scalar = ''] = await Promise.all(
    names.map(async (name) => (await client(url)(`/${name}`)).text()),
  )
  expect(style).toContain('#caller')
  expect(scalar).toMatch(/^\/\*! @scalar\/api-reference\n\nMIT License\n/)
  expect(scalar.length).toBeGreaterThan(1_000_000)
  const { api } = await testService({ databaseUrl: noDatabase })
  const fromSource = await (await api('/docs/scalar.js')).text()
  const hash = (text: string) => createHash('sha256').update(text).digest('hex')
  expect(hash(scalar)).toBe(hash(fromSource))
})
