import { expect, test } from 'vitest'
import { breaking } from '#dev/rehearsal/docker/contracts.ts'

/** The URL of a contract with these operations, such as `get /orders`. */
function contract(...operations: string[]): string {
  const paths: Record<string, Record<string, object>> = {}
  for (const operation of operations) {
    const [method = '', path = ''] = operation.split(' ')
    paths[path] = { ...paths[path], [method]: { responses: { 200: { description: 'fine' } } } }
  }
  const document = { openapi: '3.0.0', info: { title: 't', version: '1' }, paths }
  return `data:application/json,${encodeURIComponent(JSON.stringify(document))}`
}

test('what is removed breaks callers, and is only said where that is allowed', async () => {
  const [old, now] = [contract('get /a', 'post /a', 'get /b'), contract('get /a', 'get /b', 'get /c')]
  const strict = ['--fail-on', 'ERR']
  await expect(breaking(['breaking', old, now, ...strict])).rejects.toThrow('post /a')
  expect(await breaking(['breaking', old, now])).toContain('post /a')
  const more = contract('get /a', 'get /b', 'get /c', 'get /d')
  expect(await breaking(['breaking', now, more, ...strict])).toBe('0 operations removed\n')
})
