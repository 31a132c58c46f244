import { commitOf, tryGit } from './git.ts'
import { UpgradeError } from './upgrade-error.ts'
import { refOf } from './versions.ts'

/**
 * Finds what the fork's files are compared with: the release that it has, or a newer commit of the template that its history
 * contains. History alone would not do: a copy of the files has none, and a squashed merge loses it.
 *
 * @param from the version that is here
 * @param release the commit to take in
 * @param given a commit that a person names
 * @throws {UpgradeError} if there is none
 */
export function findBase(from: string, release: string, given: string | undefined): string {
  if (given !== undefined) {
    const named = commitOf(given)
    if (!named) throw new UpgradeError(`There is no commit ${given}.`)
    return named
  }
  const tagged = commitOf(refOf(from))
  if (!tagged)
    throw new UpgradeError(
      `The template has no tag v${from}, which package.json names. Name the commit that this service started from: of the ` +
        'template, or your own first one if it was the template as it came: npm run upgrade -- --base COMMIT',
    )
  const { stdout: common } = tryGit(['merge-base', 'HEAD', release])
  return common && isAncestor(tagged, common) ? common : tagged
}

function isAncestor(one: string, other: string): boolean {
  return tryGit(['merge-base', '--is-ancestor', one, other]).status === 0
}
