import { describe, expect, test } from 'vitest'
import { parseSource, readSources, unexplained } from '#test/support/sources.ts'

// How the template's own files are written. A service's features are written as their authors like.

const own = readSources('src/runtime/**/*.ts', 'dev/**/*.ts')

test('no file is longer than 250 lines', () => {
  const long = own.filter(({ text }) => text.split('\n').length - 1 > 250)
  expect(long.map(({ path }) => path)).toEqual([])
})

test('every exported function and class is explained', () => {
  expect(own.flatMap((source) => unexplained(source).map((name) => `${source.path}: ${name}`))).toEqual([])
})

describe('these tests see what they look for', () => {
  const sample = parseSource(
    'src/runtime/log/sample.ts',
    [
      'export function bare() {}',
      '/** Explained. */',
      'export async function explained() {}',
      '// a remark is no explanation',
      'export class Bare {}',
      'export const arrow = (text: string) => text',
      'export const table = { of: 1 }',
    ].join('\n'),
  )

  test('functions and classes that nothing explains', () => {
    expect(unexplained(sample)).toEqual(['bare', 'Bare', 'arrow'])
  })

  test('the files', () => {
    expect(own.map(({ path }) => path)).toEqual(
      expect.arrayContaining(['src/runtime/kernel/wait-at-most.ts', 'dev/main.ts']),
    )
  })
})
