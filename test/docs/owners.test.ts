import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { leftOut, ownerOf, owners } from '#dev/upgrade/owners.ts'

test('docs/upgrading.md says whose a file is as npm run upgrade does', () => {
  const page = readFileSync('docs/upgrading.md', 'utf8')
  const [, table = ''] = /\n\| whose \|.*\n\|[-|]+\n((?:\|.*\n)+)/.exec(page) ?? []
  const rows = table
    .trim()
    .split('\n')
    .map((row) => Array.from(row.split('|')[2]?.matchAll(/`([^`]+)`/g) ?? [], ([, path]) => path))
  expect(rows).toEqual(Object.values(owners))
})

test('each file has an owner, by the longest path that fits', () => {
  const ofOrders = (path: string) => ownerOf(path, ['orders'])
  expect(ofOrders('src/orders/table.ts')).toBe('fork')
  expect(ofOrders('test/acceptance/orders/place.test.ts')).toBe('fork')
  expect(ofOrders('test/acceptance/run.ts')).toBe('template')
  expect(ofOrders('dev/orders/stand-in.ts')).toBe('fork')
  expect(ofOrders('deploy/submit')).toBe('template')
  expect(ofOrders('deploy/monitoring/policies/latency.json')).toBe('shared')
  expect(ofOrders('deploy/environments/live.env')).toBe('shared')
  expect(ofOrders('openapi/client.ts')).toBe('generated')
  expect(ofOrders('biome.json')).toBe('shared')
})

test('every path of the list is there, but for what only a fork has', () => {
  const files = execFileSync('git', ['ls-files'], { encoding: 'utf8' }).split('\n')
  const paths = Object.values(owners).flat()
  const absent = paths
    .map((path) => path.replace('FEATURE', 'orders'))
    .filter((path) => !files.some((file) => file === path || (path.endsWith('/') && file.startsWith(path))))
  expect(absent).toEqual(['openapi/clients/'])
  expect(leftOut).toEqual([...owners.generated, 'migrations/features/', 'openapi/clients/'])
})
