import { parseArgs } from 'node:util'
import { breaking } from './contracts.ts'
import { path, startGroup } from './group.ts'
import type { Project } from './project.ts'
import { type Call, Refusal, type Tool } from './stand-ins.ts'

const text = { type: 'string' } as const
const texts = { type: 'string', multiple: true } as const
const flag = { type: 'boolean' } as const
const buildFlags = { tag: text, 'build-arg': texts }
const runFlags = {
  ...{ detach: flag, rm: flag, name: text, network: text, env: texts, volume: texts, workdir: text },
  ...{ 'read-only': flag, tmpfs: text, 'cap-drop': text, memory: text },
}

const pairs = (list: readonly string[] = []) =>
  Object.fromEntries(
    list.map((pair) => [pair.slice(0, pair.indexOf('=')), pair.slice(pair.indexOf('=') + 1)]),
  )

/** The docker of a project: containers are processes of this machine, or databases of the embedded server. */
export function docker(project: Project): Tool {
  const { images, containers, sql } = project

  async function run(args: string[], { print, signal, folder }: Call): Promise<number> {
    const { tokens } = parseArgs({ args, options: runFlags, strict: false, tokens: true })
    const at = tokens.find(({ kind }) => kind === 'positional')?.index ?? args.length
    const { values } = parseArgs({ args: args.slice(0, at), options: runFlags })
    const [name = '', ...command] = args.slice(at)
    const given = pairs(values.env)
    if (/^postgres:/.test(name)) return startDatabase(values.name ?? '', given)
    if (/^tufin\/oasdiff:/.test(name)) return breaking(command, print)

    const image = images.find(name)
    if (!image && !/^node:/.test(name)) throw new Refusal(`Unable to find image '${name}' locally`)
    const cwd = image?.folder ?? values.workdir ?? folder
    const env = image
      ? { ...image.environment, ...given }
      : { PATH: path, HOME: process.env.HOME ?? '', ...given }
    const line = command.length > 0 ? command : ['node', 'dist/main.js']
    const group = startGroup(line, { cwd, env, ...(!values.detach && { write: print }) })
    if (values.detach) {
      containers.set(values.name ?? '', group)
      return 0
    }
    signal.addEventListener('abort', () => void group.stop())
    return group.exit
  }

  async function startDatabase(name: string, given: Record<string, string>): Promise<number> {
    const { POSTGRES_USER: user, POSTGRES_PASSWORD: password, POSTGRES_DB: database } = given
    await sql(
      `create role "${user}" login password '${password}'`,
      `create database "${database}" owner "${user}"`,
    )
    const stop = () => sql(`drop database "${database}" with (force)`, `drop role "${user}"`)
    containers.set(name, { output: '', stop })
    return 0
  }

  const commands: Record<string, (args: string[], call: Call) => Promise<number>> = {
    async build(args, { folder }) {
      const { values, positionals } = parseArgs({ args, options: buildFlags, allowPositionals: true })
      if (positionals.join() !== '.' || !values.tag)
        throw new Refusal(`docker build ${args.join(' ')} is not imitated`)
      await images.build(folder, values.tag, pairs(values['build-arg']))
      if (project.failingMigration) await images.addFailingMigration(values.tag, values.tag)
      return 0
    },
    async push([tag = ''], { print }) {
      print(`${images.push(tag)}\n`)
      return 0
    },
    async inspect([format, form, tag = ''], { print }) {
      if (format !== '--format' || form !== '{{index .RepoDigests 0}}')
        throw new Refusal(`${form} is not imitated`)
      print(`${images.push(tag)}\n`)
      return 0
    },
    run,
    async exec([name = '', program]) {
      if (program !== 'pg_isready') throw new Refusal(`docker exec ${program} is not imitated`)
      return containers.has(name) ? 0 : 1
    },
    async logs([name = ''], { print }) {
      print(containers.get(name)?.output ?? '')
      return 0
    },
    async rm([_force, ...names]) {
      for (const name of names) {
        await containers.get(name)?.stop()
        containers.delete(name)
      }
      return 0
    },
  }

  return async function docker(call) {
    const [name = '', ...args] = call.args
    const command = commands[name]
    if (!command) throw new Refusal(`docker ${name} is not imitated`)
    return command(args, call)
  }
}
