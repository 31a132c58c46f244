import { expect, test } from 'vitest'
import { parsePage, readPages } from '#test/support/pages.ts'
import { kindOf, putInto, readNote } from './notes.ts'

const blocks = readPages().flatMap((page) => page.blocks)

test('every block of code is run, or its page says in a comment before it why not', () => {
  const lost = blocks.filter((block) => !kindOf(block))
  expect(lost.map(({ page, line, language }) => `${page}:${line}: ${language || 'no language'}`)).toEqual([])
  const count = Object.groupBy(blocks, (block) => kindOf(block) ?? '')
  expect(count.commands?.length).toBeGreaterThan(10)
  expect(count.fragment?.length).toBeGreaterThan(5)
})

test('what a page shows as JSON is JSON', () => {
  for (const { language, text } of blocks)
    if (language === 'json') expect(() => JSON.parse(text)).not.toThrow()
})

test('blocks, their comments, and what becomes of them are read', () => {
  const markdown = [
    'Text.\n\n<!-- test\nafter: It runs\nbefore: A=1\nprints: 200 OK\nID = $A\n-->\n```sh\necho ID\n```\n',
    '1. A list:\n\n   <!-- not run: it needs Google -->\n   ```sh\n   gcloud a \\\n     b\n   ```\n',
    '<!-- around\nconst a = 1\nBLOCK\nconst c = () => b\n-->\n```ts\nconst b = a\n```\n',
    '```ts\n// src/notes/table.ts\nexport {}\n```\n\n```ts\nlost()\n```\n\n```\nlost\n```\n',
  ].join('\n')
  const read = parsePage('a.md', markdown).blocks
  expect(read.map(({ line, text }) => [line, text])).toEqual([
    [9, 'echo ID\n'],
    [16, 'gcloud a \\\n  b\n'],
    [26, 'const b = a\n'],
    [30, '// src/notes/table.ts\nexport {}\n'],
    [35, 'lost()\n'],
    [39, 'lost\n'],
  ])
  expect(read.map(kindOf)).toEqual(['commands', 'not run', 'fragment', 'file', undefined, undefined])
  const [first, second, third] = read.map(readNote)
  expect(first).toEqual({ after: 'It runs', before: ['A=1'], prints: ['200 OK'], words: { ID: '$A' } })
  expect(second?.reason).toBe('it needs Google')
  expect(third?.around).toBe('const a = 1\nBLOCK\nconst c = () => b')
  expect(() => parsePage('a.md', '<!-- todo -->\n```ts\n1\n```\n').blocks.map(kindOf)).toThrow(
    'a.md:2: the comment',
  )
})

test('lines are put where they belong', () => {
  const file = "import {\n  a,\n} from 'a'\nimport { b } from 'b'\n\nexport const list = [a]\n"
  expect(putInto(file, "import { c } from 'c'\nexport const list = [a, c]")).toBe(
    "import {\n  a,\n} from 'a'\nimport { b } from 'b'\nimport { c } from 'c'\n\nexport const list = [a, c]\n",
  )
  expect(putInto('a: T[] = [b, c]\n', 'a: T[] = [b, d]')).toBe('a: T[] = [b, c, d]\n')
  expect(putInto('# A=1\n', '# B=2')).toBe('# A=1\n# B=2\n')
})
