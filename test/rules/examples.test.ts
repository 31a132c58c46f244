import { execFile } from 'node:child_process'
import { cp, mkdir, readFile, symlink, writeFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { beforeAll, describe, expect, test } from 'vitest'
import { type DoorExport, parseDoor, readDoor } from '#test/support/door.ts'
import { temporaryFolder } from '#test/support/migrations.ts'
import { expectRule } from '#test/support/rule.ts'

// What `#runtime` exports is documented for those who hover it, by examples that compile and run as they stand. An
// example needs no imports. `// → value` behind an expression says what it gives.

const exported = readDoor()
const fixtures = 'test/rules/fixtures/examples'

/** The names that a fixture exports. */
async function namesOf(file: string): Promise<string[]> {
  const text = await readFile(join(fixtures, file), 'utf8')
  return [...text.matchAll(/^export (?:declare )?const (\w+)/gm)].map(([, name = '']) => name)
}

/** An example as a module: what it uses is imported, and what it says that an expression gives is asserted. */
interface Example {
  readonly name: string
  readonly code: string
  /** Whether it needs nothing that only a running service has. */
  readonly runs: boolean
}

const bareName = (name: string) => name.replace(/^type /, '')

async function modulesOf(door: readonly DoorExport[]): Promise<Example[]> {
  const sources = {
    '#runtime': door.map(({ name, isType }) => (isType ? `type ${name}` : name)),
    './sample.ts': await namesOf('sample.ts'),
    './given.ts': await namesOf('given.ts'),
  }
  return door.flatMap(({ name, examples }) =>
    examples.map((example, index) => {
      const bare = example.replaceAll(/'(?:[^'\\]|\\.)*'|\/\/ .*$/gm, '')
      const words = new Set(bare.match(/(?<![.\w$])[A-Za-z_]\w*(?!\w*:)/g))
      const binding =
        /\b(?:const|class|function\*?|import) (?:(\w+)|\{([^}]*)\})|\(([^()]*)\)(?:: [^=]*)? (?:=>|\{)/g
      const declared = new Set(
        [...bare.matchAll(binding)].flatMap(([, one = '', several = '', parameters = '']) => {
          const untyped = parameters.replaceAll(/:[^,]*/g, '')
          return `${one} ${several} ${untyped}`.match(/\w+/g) ?? []
        }),
      )
      const imports = Object.entries(sources).map(([from, names]) => {
        const used = names.filter((one) => words.has(bareName(one)) && !declared.has(bareName(one)))
        return used.length > 0 ? `import { ${used.join(', ')} } from '${from}'` : ''
      })
      const asserted = example.replaceAll(
        /^(.*?) \/\/ → (.*)$/gm,
        (_line, given: string, expected: string) => `assert.deepEqual(${given}, ${expected})`,
      )
      const code = ["import assert from 'node:assert/strict'", ...imports, asserted, 'export {}', ''].join(
        '\n',
      )
      const runs = !code.includes('./given.ts') && !/\bprocess\./.test(bare)
      return { name: index === 0 ? name : `${name}-${index + 1}`, code, runs }
    }),
  )
}

/** Runs a program there; its output where it fails. */
function failureOf(folder: string, program: string, args: string[]): Promise<string> {
  return new Promise((done) => {
    execFile(program, args, { cwd: folder }, (error, stdout, stderr) => done(error ? stdout + stderr : ''))
  })
}

/** A folder that imports as the repository does, with these modules in it. */
async function folderOf(modules: readonly Example[]): Promise<string> {
  const folder = await temporaryFolder()
  for (const name of ['src', 'node_modules']) await symlink(resolve(name), join(folder, name))
  await cp('package.json', join(folder, 'package.json'))
  await cp(fixtures, join(folder, 'examples'), { recursive: true })
  await mkdir(join(folder, 'examples'), { recursive: true })
  for (const { name, code } of modules) await writeFile(join(folder, 'examples', `${name}.ts`), code)
  const compilerOptions = { noUnusedLocals: false, noUnusedParameters: false }
  const project = { extends: resolve('tsconfig.json'), include: ['examples'], compilerOptions }
  await writeFile(join(folder, 'tsconfig.json'), JSON.stringify(project))
  return folder
}

/** What does not compile of these examples, or fails when it runs. */
async function failuresOf(modules: readonly Example[]): Promise<{ compiling: string; running: string[] }> {
  const folder = await folderOf(modules)
  const compiling = await failureOf(folder, resolve('node_modules/.bin/tsc'), [
    '--project',
    folder,
    '--checkers',
    '2',
  ])
  const running = modules.filter(({ runs }) => runs).map(({ name }) => `./${name}.ts`)
  const runner = [
    `for (const file of ${JSON.stringify(running)})`,
    '  await import(file).catch((error) => {',
    '    console.log(file, error.message.replaceAll("\\n", " "))',
    '    process.exitCode = 1',
    '  })',
  ]
  await writeFile(join(folder, 'examples', 'run.ts'), runner.join('\n'))
  const failed = await failureOf(folder, process.execPath, ['examples/run.ts'])
  const named = failed.split('\n').filter((line) => line.startsWith('./'))
  return { compiling, running: failed !== '' && named.length === 0 ? [failed] : named }
}

test('every export of #runtime has a doc comment', () => {
  const bare = exported.filter(({ doc }) => doc === '').map(({ name, file }) => `${file}: ${name}`)
  expectRule(
    'What `#runtime` exports is documented.',
    bare,
    'write a doc comment directly above the declaration.',
  )
})

test('every value that #runtime exports has an @example', () => {
  const bare = exported.filter(({ isType, examples }) => !isType && examples.length === 0)
  expectRule(
    'What `#runtime` exports has an example.',
    bare.map(({ name, file }) => `${file}: ${name}`),
    'write `@example` into its doc comment, and code that compiles below it.',
  )
})

describe('the examples', () => {
  let modules: Example[] = []
  let failures: Awaited<ReturnType<typeof failuresOf>>
  beforeAll(async () => {
    modules = await modulesOf(exported)
    failures = await failuresOf(modules)
  })

  test('compile', () => {
    expect(failures.compiling).toBe('')
  })

  test('run, where they need no running service, and give what they say', () => {
    expect(modules.filter(({ runs }) => runs).length).toBeGreaterThan(20)
    expect(failures.running).toEqual([])
  })
})

describe('these tests see what they look for', () => {
  const index = [
    "/** zod.\n *\n * @example\n * z.string()\n */\nexport { z } from 'zod'",
    "export { bare, type Bare, explained } from './a.ts'",
  ].join('\n\n')
  const file = [
    'export const bare = 1',
    'export interface Bare {}',
    '/**\n * Explained.\n *\n * @example\n * explained(1) // → 3\n * @throws nothing\n */\nexport function explained() {}',
  ].join('\n')
  const door = parseDoor(index, () => file)

  test('names without a comment, and examples', () => {
    expect(
      door.map(({ name, isType, doc, examples }) => ({ name, isType, isBare: doc === '', examples })),
    ).toEqual([
      { name: 'z', isType: false, isBare: false, examples: ['z.string()'] },
      { name: 'bare', isType: false, isBare: true, examples: [] },
      { name: 'Bare', isType: true, isBare: true, examples: [] },
      { name: 'explained', isType: false, isBare: false, examples: ['explained(1) // → 3'] },
    ])
    expect(() => parseDoor('export const more = 1', () => '')).toThrow('export const more = 1')
  })

  test('examples that do not compile, and that give something else', async () => {
    const of = (name: string, example: string) => {
      const known = exported.find((one) => one.name === name)
      if (!known) throw new Error(`There is no ${name}`)
      return { ...known, examples: [example] }
    }
    const wrong = [of('toMilliseconds', "toMilliseconds('5m') // → 5"), of('entityTag', "entityTag('1')")]
    const { compiling, running } = await failuresOf(await modulesOf(wrong))
    expect(compiling).toContain('entityTag.ts')
    expect(compiling).toContain("Argument of type 'string' is not assignable to parameter of type 'number'")
    expect(running).toEqual([expect.stringMatching(/toMilliseconds\.ts .*300000/)])
  })
})
