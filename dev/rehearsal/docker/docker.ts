import { randomBytes } from 'node:crypto'
import { parseArgs } from 'node:util'
import type { Image } from '../project/image.ts'
import type { Project } from '../project/project.ts'
import { endOf, startGroup } from '../shell/group.ts'
import { pairs } from '../shell/pairs.ts'
import { path, Refusal, type Tool } from '../shell/programs.ts'
import { buildImage } from './build-image.ts'
import { breaking } from './contracts.ts'

const text = { type: 'string' } as const
const texts = { type: 'string', multiple: true } as const
const flag = { type: 'boolean' } as const
const buildFlags = { tag: text, 'build-arg': texts }
const runFlags = {
  ...{ detach: flag, rm: flag, name: text, network: text, env: texts, volume: texts, workdir: text },
  ...{ 'read-only': flag, tmpfs: text, 'cap-drop': text, memory: text },
}

/** The docker of a project. Its containers are processes of this machine, or databases of the embedded server. */
export function docker(project: Project): Tool {
  const { images, containers, sql } = project

  function find(name = ''): Image {
    const image = images.get(name)
    if (!image) throw new Refusal(`Unable to find image '${name}' locally`)
    return image
  }

  async function startDatabase(name: string, given: Record<string, string>): Promise<void> {
    const { POSTGRES_USER: user, POSTGRES_PASSWORD: password, POSTGRES_DB: database } = given
    await sql(`create role ${user} login password '${password}'`, `create database ${database} owner ${user}`)
    const stop = () => sql(`drop database ${database} with (force)`, `drop role ${user}`)
    containers.set(name, { output: '', stop })
  }

  /** Each gets what follows its name, and returns what it prints, if anything. */
  const commands: Record<string, (args: string[], folder: string) => unknown> = {
    async build(args, folder) {
      const { values } = parseArgs({ args, options: buildFlags, allowPositionals: true })
      images.set(values.tag ?? '', await buildImage(folder, project.folder, pairs(values['build-arg'])))
    },
    push([tag = '']) {
      const digest = randomBytes(32).toString('hex')
      images.set(tag.replace(/:[^:/]*$/, `@sha256:${digest}`), find(tag))
    },
    inspect([flag, format, tag]) {
      if (`${flag} ${format}` !== '--format {{index .RepoDigests 0}}')
        throw new Refusal(`${format} is not imitated`)
      return [...images.keys()].find((name) => name.includes('@') && find(name) === find(tag))
    },
    async run(args, folder) {
      const mirrored = /^(mirror\.gcr\.io\/(library\/)?)?(?=(node|postgres|tufin\/oasdiff):)/
      const at = args.findIndex((arg) => images.has(arg) || mirrored.test(arg))
      const [source = '', ...command] = args.slice(at)
      const from = source.replace(mirrored, '')
      const { values } = parseArgs({ args: args.slice(0, at), options: runFlags })
      const { detach, name = '', workdir = folder } = values
      const given = pairs(values.env)
      if (from.startsWith('postgres:')) return startDatabase(name, given)
      if (from.startsWith('tufin/oasdiff:')) return breaking(command)

      const image = from.startsWith('node:') ? tools(workdir) : find(from)
      const running = image.start(given, command.length > 0 ? command : undefined)
      if (!detach) return endOf(running)
      containers.set(name, running)
    },
    exec([name = '', program]) {
      if (program !== 'pg_isready' || !containers.has(name)) throw new Refusal(`No such container: ${name}`)
    },
    logs: ([name = '']) => containers.get(name)?.output,
    async rm(args) {
      for (const name of args) {
        await containers.get(name)?.stop()
        containers.delete(name)
      }
    },
  }

  return async function docker([name = '', ...args], folder) {
    const command = commands[name]
    if (!command) throw new Refusal(`docker ${name} is not imitated`)
    return `${(await command(args, folder)) ?? ''}`
  }
}

/** The image of Node.js: the programs of this machine, in a folder. */
function tools(cwd: string): Image {
  const own = { PATH: path, HOME: process.env.HOME ?? '' }
  return {
    start: (environment, line = ['node']) => startGroup(line, { cwd, env: { ...own, ...environment } }),
  }
}
