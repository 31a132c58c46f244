import { globSync, readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { scopesIn } from '#runtime'
import { as } from '#test/kit'
import { fillIn, parseHttpFile } from '#test/support/http-file.ts'
import { expectRule } from '#test/support/rule.ts'
import { testServer } from '#test/support/server.ts'
import { silentCloudTasks } from '#test/support/task-variables.ts'

// The `.http` files of features, for the REST clients of editors: each request gets the status that its title states.

const files = globSync('src/**/*.http')
const contract = JSON.parse(readFileSync('openapi/openapi.json', 'utf8'))

/** Sends the requests of a file in their order, as a reader does who copies what the comments name. */
async function wrongIn(text: string, given: Record<string, string>): Promise<string[]> {
  const { variables, examples } = parseHttpFile(text)
  const values = { ...variables, ...given }
  const wrong: string[] = []
  for (const { title, status, method, url, headers, body, copied } of examples) {
    const filled = Object.entries(headers).map(([name, value]) => [name, fillIn(value, values)] as const)
    const response = await fetch(fillIn(url, values), {
      ...{ method, headers: Object.fromEntries(filled) },
      ...(body !== undefined && { body: fillIn(body, values) }),
    })
    const received = await response.text()
    if (response.status !== status) wrong.push(`${title}, but it is ${response.status}: ${received}`)
    if (copied) values[copied.variable] = String(JSON.parse(received)[copied.field])
  }
  return wrong
}

test('each request of an .http file gets the status that its title states', async () => {
  const service = await testServer({ cloudTasks: silentCloudTasks })
  const { Authorization = '' } = await as('alice', scopesIn(contract))
  const given = { base: service.url, token: Authorization.replace('Bearer ', '') }
  const wrong = await Promise.all(
    files.map(async (file) => {
      const found = await wrongIn(readFileSync(file, 'utf8'), given)
      return found.map((what) => `${file}: ${what}`)
    }),
  )
  expectRule(
    'An .http file shows what the service does.',
    wrong.flat(),
    'correct the request, or the status at the end of its title.',
  )
})

test('this rule sees what it looks for', async () => {
  const { url } = await testServer({ cloudTasks: silentCloudTasks })
  const text =
    '@base = none\n\n### Ask → 200\n\nGET {{base}}/ping\n\n### Ask more → 200\n# Copy `code` of the response into @a\n\nGET {{base}}/none\nA: b\n'
  expect(await wrongIn(text, { base: url })).toEqual([
    expect.stringMatching(/^Ask more → 200, but it is 404: /),
  ])
  expect(() => parseHttpFile('### Ask\n\nGET /')).toThrow('"### Ask" does not end with a status')
  expect(() => parseHttpFile('### Ask → 200\n\nPlease')).toThrow('has no request line')
  expect(() => fillIn('{{token}}', {})).toThrow('The file sets no @token.')
})
