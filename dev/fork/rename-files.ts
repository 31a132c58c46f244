import { readFileSync } from 'node:fs'
import { type Change, editFiles } from './edit-files.ts'

// What `npm run rename` does to the files of the template. It imports no package: `npm run upgrade` runs it where none is
// installed.

/** Whether this can be the name of a service. */
export function isServiceName(name: string): boolean {
  return /^[a-z](?:[a-z0-9]|-(?=[a-z0-9])){1,13}$/.test(name)
}

/**
 * Gives the service a name: in package.json and its lock file, in cloudbuild.yaml, in the contract's title, and in README.md.
 *
 * @returns the files that are different now
 */
export function renameFiles(name: string): string[] {
  const { name: old }: { name: string } = JSON.parse(readFileSync('package.json', 'utf8'))
  const title = name.charAt(0).toUpperCase() + name.slice(1).replaceAll('-', ' ')
  const inJson: Change = [new RegExp(`^(  |      )"name": "${old}"`, 'm'), `$1"name": "${name}"`]
  return editFiles({
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
