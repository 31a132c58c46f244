import { compareVersions } from './versions.ts'

/** A version's part of CHANGELOG.md. */
export interface Part {
  readonly heading: string
  /** Empty, as the date is, if the heading has another form. */
  readonly version: string
  /** `2026-12-31` or `Unreleased`. */
  readonly date: string
  /** The list below `### For forks`, the last of the part: what a fork does, as Markdown. */
  readonly steps: readonly string[]
}

/** Reads CHANGELOG.md, the newest version first. */
export function parseChangelog(markdown: string): Part[] {
  return markdown
    .split(/^## /m)
    .slice(1)
    .map((text) => {
      const [heading = ''] = text.split('\n')
      const [, version = '', date = ''] =
        /^\[(\d+\.\d+\.\d+)\] - (\d{4}-\d\d-\d\d|Unreleased)$/.exec(heading) ?? []
      const list = /\n### For forks\n\n((?:(?!\n### ).)+)$/s.exec(text)?.[1] ?? ''
      const steps = list
        .split(/^- /m)
        .slice(1)
        .map((step) => step.trim())
      return { heading, version, date, steps }
    })
}

/**
 * What CHANGELOG.md asks of a fork, the oldest version first.
 *
 * @param from the version that the fork had
 * @param to the version that it has now
 */
export function stepsBetween(markdown: string, from: string, to: string): Part[] {
  return parseChangelog(markdown)
    .filter(({ version }) => compareVersions(version, from) > 0 && compareVersions(version, to) <= 0)
    .sort((one, other) => compareVersions(one.version, other.version))
    .map((part) => ({ ...part, steps: part.steps.filter((step) => step !== 'Nothing.') }))
}
