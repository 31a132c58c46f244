import { fileIn, git } from './git.ts'
import { UpgradeError } from './upgrade-error.ts'

/** The entry `template` of package.json. */
export interface Template {
  /** The release that the files are of. */
  readonly version: string
  /** Where newer ones are: a URL or a folder. */
  readonly source?: string
}

const entry = '"template": { "version": "0.1.0" }'

/**
 * Reads the entry `template` of a commit's package.json.
 *
 * @throws {UpgradeError} if there is none
 */
export function templateOf(commit: string): Template {
  const manifest: { template?: Partial<Template> } = JSON.parse(fileIn(commit, 'package.json') ?? '{}')
  const { version, source } = manifest.template ?? {}
  if (!version || !isVersion(version))
    throw new UpgradeError(
      'package.json does not say which version of the template this service has. Add the newest release that it ' +
        `contains, and commit that: ${entry}`,
    )
  return { version, ...(source && { source }) }
}

/** Whether this is a version: `1.2.3`. */
export function isVersion(text: string): boolean {
  return /^\d+\.\d+\.\d+$/.test(text)
}

/** Which of two versions is newer: more than 0 if it is the first. */
export function compareVersions(one: string, other: string): number {
  return one.localeCompare(other, 'en', { numeric: true })
}

/** The releases that were fetched, the oldest first. Each is a tag `v1.2.3` of the template, kept below refs/template/. */
export function fetchedReleases(): string[] {
  return git(['for-each-ref', '--format=%(refname:lstrip=2)', 'refs/template'])
    .split('\n')
    .map((tag) => tag.replace(/^v/, ''))
    .filter(isVersion)
    .sort(compareVersions)
}

/** What git calls a release. */
export function refOf(version: string): string {
  return `refs/template/v${version}`
}
