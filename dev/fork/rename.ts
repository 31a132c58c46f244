import { toKebab } from '../new/names.ts'
import { run } from '../new/write.ts'
import { isServiceName, renameFiles } from './rename-files.ts'

/**
 * Checks the name of a service. Google's names are made from it: `NAME-staging` with a tag must fit into 46 characters, and
 * accounts into 30.
 *
 * @throws {TypeError} that says what to write instead
 */
export function checkServiceName(name: string | undefined): string {
  const command = 'npm run rename --'
  if (name === undefined) throw new TypeError(`Name the service: ${command} my-service`)
  if (isServiceName(name)) return name
  const better = toKebab(name).slice(0, 14).replace(/-+$/, '')
  throw new TypeError(
    `'${name}' cannot be the name of a service: 2 to 14 small letters and digits, with - between words, because Google's ` +
      `names are made from it. Write: ${command} ${better.length > 1 ? better : 'my-service'}`,
  )
}

/**
 * Gives the service a name: in its files, and in the contract.
 *
 * @returns the files that are different now
 * @throws {TypeError} for a name that cannot be
 */
export function renameService(given: string | undefined): string[] {
  const changed = renameFiles(checkServiceName(given))
  run('npm run openapi', ['dev/openapi.ts'])
  return changed
}
