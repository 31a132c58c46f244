import { existsSync } from 'node:fs'
import { tryGit } from './git.ts'
import { UpgradeError } from './upgrade-error.ts'
import { compareVersions, fetchedReleases } from './versions.ts'

/**
 * The address of a source: that of the remote, if it is the name of one. A name belongs to one clone, an address to all.
 *
 * @param given a remote's name, a URL or a folder
 */
export function addressOf(given: string): string {
  const { status, stdout } = tryGit(['remote', 'get-url', given])
  return status === 0 ? stdout : given
}

/**
 * Fetches the releases of the template. They are kept below refs/template/, so that they do not mix with your own tags.
 *
 * @throws {UpgradeError} if there is no such repository, or no release in it
 */
export function fetchReleases(source: string): void {
  const refs = '+refs/tags/v*:refs/template/v*'
  const { status, stderr } = tryGit(['fetch', '--quiet', '--no-tags', source, refs])
  if (status !== 0) {
    const folder = existsSync(source) ? 'It is a folder, but no clone of the template. ' : ''
    throw new UpgradeError(
      `Nothing could be fetched from ${source}. ${folder}Write the template's URL, a remote's name, or a folder with a ` +
        `clone of it: npm run upgrade -- SOURCE\n${stderr}`,
    )
  }
  if (fetchedReleases().length === 0)
    throw new UpgradeError(`${source} has no release: no tag such as v0.2.0. Is it the template?`)
}

/**
 * Chooses the release to take in.
 *
 * @param from the version that is here
 * @param wanted a version; the newest if there is none
 * @throws {UpgradeError} if it is not there, or not newer
 */
export function chooseRelease(from: string, wanted: string | undefined): string {
  const all = fetchedReleases()
  const version = wanted ?? all.at(-1) ?? ''
  if (!all.includes(version))
    throw new UpgradeError(`The template has no release ${version}. It has: ${all.join(', ')}`)
  if (version === from) throw new UpgradeError(`This service has version ${version} of the template already.`)
  if (compareVersions(version, from) < 0)
    throw new UpgradeError(
      `This service has version ${from} of the template, which is newer than ${version}.`,
    )
  return version
}
