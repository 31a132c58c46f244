import { readFileSync } from 'node:fs'
import { toKebab } from '../new/names.ts'
import { run } from '../new/write.ts'
import { type Change, editFiles } from './edit-files.ts'

/**
 * Checks the name of a service. Google's names are made from it: `NAME-staging` with a tag must fit into 46 characters, and
 * accounts into 30.
 *
 * @throws {TypeError} that says what to write instead
 */
export function checkServiceName(name: string | undefined): string {
  const command = 'npm run rename --'
  if (name === undefined) throw new TypeError(`Name the service: ${command} my-service`)
  if (/^[a-z](?:[a-z0-9]|-(?=[a-z0-9])){1,13}$/.test(name)) return name
  const better = toKebab(name).slice(0, 14).replace(/-+$/, '')
  throw new TypeError(
    `'${name}' cannot be the name of a service: 2 to 14 small letters and digits, with - between words, because Google's ` +
      `names are made from it. Write: ${command} ${better.length > 1 ? better : 'my-service'}`,
  )
}

/**
 * Gives the service a name: in package.json and its lock file, in cloudbuild.yaml, in the contract, and in README.md.
 *
 * @returns the files that are different now
 * @throws {TypeError} for a name that cannot be
 */
export function renameService(given: string | undefined): string[] {
  const name = checkServiceName(given)
  const { name: old }: { name: string } = JSON.parse(readFileSync('package.json', 'utf8'))
  const title = name.charAt(0).toUpperCase() + name.slice(1).replaceAll('-', ' ')
  const inJson: Change = [new RegExp(`^(  |      )"name": "${old}"`, 'm'), `$1"name": "${name}"`]
  const changed = editFiles({
    'package.json': [
      inJson,
      [
        /"description": "(?:A Cloud Run service starter[^"]*|The service [a-z0-9-]+\.)"/,
        `"description": "The service ${name}."`,
      ],
    ],
    'package-lock.json': [inJson, inJson],
    'cloudbuild.yaml': [
      [
        /^ {2}_SERVICE: .*/m,
        `  _SERVICE: ${name} # the services are ${name}-staging and ${name}-live; 14 characters at most`,
      ],
    ],
    'src/app.ts': [[/^(const contract = \{\n {2}title: )'[^']*'/m, `$1'${title}'`]],
    'README.md': readmeOf(name),
  })
  run('npm run openapi', ['dev/openapi.ts'])
  return changed
}

/** README speaks of the service, and no more of the template: what it is, how it compares, how to rename it. */
function readmeOf(name: string): Change[] {
  const section = (heading: string): Change => [new RegExp(`^## ${heading}\\n[\\s\\S]*?(?=^## )`, 'm'), '']
  return [
    [/^# .*\n[\s\S]*?(?=^## )/m, `# ${name}\n\nSay here what ${name} is for, and who calls it.\n\n`],
    section('Make it yours'),
    section('How it compares'),
  ]
}
