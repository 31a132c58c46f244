import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { expectRule } from '#test/support/rule.ts'
import manifest from '../../package.json' with { type: 'json' }

/** The parts of a changelog, one for each version. */
function versions(markdown: string) {
  return markdown
    .split(/^## /m)
    .slice(1)
    .map((text) => {
      const [, version = '', date = ''] =
        /^\[(\d+\.\d+\.\d+)\] - (\d{4}-\d\d-\d\d|Unreleased)\n/.exec(text) ?? []
      const [, list = ''] = /\n### For forks\n\n([^#]+)$/.exec(text) ?? []
      const forks = list.split('\n').filter((line) => line.startsWith('- ')).length
      return { heading: text.split('\n')[0], version, date, forks }
    })
}

const all = versions(readFileSync('CHANGELOG.md', 'utf8'))

test('the newest version of CHANGELOG.md is that of package.json', () => {
  expect(all[0]?.version, 'Write a part `## [VERSION] - Unreleased` at the top of CHANGELOG.md.').toBe(
    manifest.version,
  )
})

test('each version has a number, a date, and ends with what a fork must do', () => {
  expectRule(
    'A part of CHANGELOG.md is `## [1.2.3] - 2026-12-31` (the newest may say Unreleased) and ends with a list below `### For forks`.',
    all
      .filter(
        ({ version, date, forks }, index) => !version || forks === 0 || (index > 0 && date === 'Unreleased'),
      )
      .map(({ heading }) => `CHANGELOG.md: ${heading}`),
    'write the heading so, and in the list `- Nothing.`, or what a fork must do, one item for each step.',
  )
  const order = all.map(({ version }) => version)
  const newestFirst = order.toSorted((one, other) => other.localeCompare(one, 'en', { numeric: true }))
  expect(order).toEqual(newestFirst)
})

test('these rules see what they look for', () => {
  const text = [
    '# Changelog\n\n`### For forks` is last.\n',
    '## [0.10.0] - Unreleased\n\n### Added\n\n- A.\n\n### For forks\n\n- Rename `a`\n  to `b`.\n- Run it.\n',
    '## [0.9.0] - 2026-12-31\n\n### For forks\n\nNothing.\n',
    '## 0.8\n\n### For forks\n\n- Nothing.\n\n### Fixed\n\n- B.\n',
  ].join('\n')
  expect(versions(text)).toEqual([
    { heading: '[0.10.0] - Unreleased', version: '0.10.0', date: 'Unreleased', forks: 2 },
    { heading: '[0.9.0] - 2026-12-31', version: '0.9.0', date: '2026-12-31', forks: 0 },
    { heading: '0.8', version: '', date: '', forks: 0 },
  ])
})
