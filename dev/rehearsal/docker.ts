import { parseArgs } from 'node:util'
import { breaking } from './contracts.ts'
import { path, startGroup } from './group.ts'
import { buildImage, type Image, withFailingMigration } from './images.ts'
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

const pairs = (list: readonly string[] = []): Record<string, string> =>
  Object.fromEntries(list.map((pair) => pair.split(/=(.*)/s).slice(0, 2)))

/** The docker of a project: containers are processes of this machine, or databases of the embedded server. */
export function docker(project: Project): Tool {
  const { images, containers, sql } = project

  function find(name = ''): Image {
    const image = images.get(name)
    if (!image) throw new Refusal(`Unable to find image '${name}' locally`)
    return image
  }

  async function run({ args, folder, signal, print }: Call): Promise<number> {
    const { tokens } = parseArgs({ args, options: runFlags, strict: false, tokens: true })
    const at = tokens.find(({ kind }) => kind === 'positional')?.index ?? args.length
    const { values } = parseArgs({ args: args.slice(0, at), options: runFlags })
    const { detach = false, name = '', workdir = folder } = values
    const [from = '', ...command] = args.slice(at)
    const given = pairs(values.env)
    if (from.startsWith('postgres:')) return startDatabase(name, given)
    if (from.startsWith('tufin/oasdiff:')) return breaking(command, print)

    const ours = from.startsWith('node:') ? undefined : find(from)
    const env = { ...(ours?.environment ?? { PATH: path, HOME: process.env.HOME ?? '' }), ...given }
    const line = command.length > 0 ? command : ['node', 'dist/main.js']
    const cwd = ours?.folder ?? workdir
    if (!detach) return startGroup(line, { cwd, env, write: print, signal }).exit
    containers.set(name, startGroup(line, { cwd, env }))
    return 0
  }

  async function startDatabase(name: string, given: Record<string, string>): Promise<number> {
    const { POSTGRES_USER: user, POSTGRES_PASSWORD: password, POSTGRES_DB: database } = given
    await sql(`create role "${user}" login password '${password}'`)
    await sql(`create database "${database}" owner "${user}"`)
    const stop = () => sql(`drop database "${database}" with (force)`, `drop role "${user}"`)
    containers.set(name, { output: '', stop })
    return 0
  }

  /** Each takes what follows its name, and prints what it returns. */
  const commands: Record<string, (args: string[], call: Call) => Promise<string> | string> = {
    async build(args, { folder, signal }) {
      const { values, positionals } = parseArgs({ args, options: buildFlags, allowPositionals: true })
      if (positionals.join() !== '.') throw new Refusal(`docker build ${positionals} is not imitated`)
      const image = await buildImage(folder, project.folder, pairs(values['build-arg']), signal)
      images.set(values.tag ?? '', project.failingMigration ? await withFailingMigration(image) : image)
      return ''
    },
    push([tag = '']) {
      const image = find(tag)
      const name = `${tag.replace(/:[^:/]*$/, '')}@${image.digest}`
      images.set(name, image)
      return `${name}\n`
    },
    inspect([flag, format, tag = '']) {
      if (`${flag} ${format}` !== '--format {{index .RepoDigests 0}}')
        throw new Refusal(`${format} is not imitated`)
      const [name] = [...images].find(([name, image]) => name.includes('@') && image === find(tag)) ?? []
      return `${name}\n`
    },
    exec([name = '', program]) {
      if (program !== 'pg_isready' || !containers.has(name)) throw new Refusal(`No ${program} in ${name}`)
      return ''
    },
    logs: ([name = '']) => containers.get(name)?.output ?? '',
    async rm(args) {
      for (const name of args) {
        await containers.get(name)?.stop()
        containers.delete(name)
      }
      return ''
    },
  }

  return async function docker(call) {
    const [name = '', ...args] = call.args
    if (name === 'run') return run({ ...call, args })
    const command = commands[name]
    if (!command) throw new Refusal(`docker ${name} is not imitated`)
    call.print(await command(args, call))
    return 0
  }
}
