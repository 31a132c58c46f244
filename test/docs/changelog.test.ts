import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { parseChangelog } from '#dev/upgrade/changelog.ts'
import { expectRule } from '#test/support/rule.ts'
import manifest from '../../package.json' with { type: 'json' }

const all = parseChangelog(readFileSync('CHANGELOG.md', 'utf8'))

test('package.json names the newest version of CHANGELOG.md that has a date, or the first', () => {
  const newest = all.find(({ date }) => date !== 'Unreleased') ?? all.at(-1)
  expect(manifest.template.version, 'A release sets `template.version` of package.json.').toBe(
    newest?.version,
  )
})

test('each version has a number, a date, and ends with what a fork must do', () => {
  expectRule(
    'A part of CHANGELOG.md is `## [1.2.3] - 2026-12-31` (the newest may say Unreleased) and ends with a list below `### For forks`.',
    all
      .filter(
        ({ version, date, steps }, index) =>
          !version || steps.length === 0 || (index > 0 && date === 'Unreleased'),
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
    '## [0.10.0] - Unreleased\n\n### Added\n\n- A.\n\n### For forks\n\n- Rename `a`\n  to `b` of `#runtime`.\n- Run it.\n',
    '## [0.9.0] - 2026-12-31\n\n### For forks\n\nNothing.\n',
    '## 0.8\n\n### For forks\n\n- Nothing.\n\n### Fixed\n\n- B.\n',
  ].join('\n')
  expect(parseChangelog(text)).toEqual([
    {
      heading: '[0.10.0] - Unreleased',
      version: '0.10.0',
      date: 'Unreleased',
      steps: ['Rename `a`\n  to `b` of `#runtime`.', 'Run it.'],
    },
    { heading: '[0.9.0] - 2026-12-31', version: '0.9.0', date: '2026-12-31', steps: [] },
    { heading: '0.8', version: '', date: '', steps: [] },
  ])
})
