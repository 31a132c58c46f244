import { parseArgs } from 'node:util'
import { type Resource, render } from './format.ts'
import { jobs } from './jobs.ts'
import type { Project } from './project.ts'
import { services } from './services.ts'
import { Refusal, type Tool } from './stand-ins.ts'
import { tasks } from './tasks.ts'

/** What a command was given. */
export interface Given {
  /** Its argument, the name of what it is about; empty if it has none. */
  readonly name: string
  readonly flags: Readonly<Record<string, string | undefined>>
  /** Where it was called. */
  readonly folder: string
  complain(text: string): void
}

/** A command of gcloud's: the flags that it takes, `=` behind those with a value, and what it does. */
export interface Command {
  readonly flags: string
  /** Returns what is printed by --format. */
  run(given: Given): Promise<Resource[]> | Resource[] | Promise<void>
}

const common = 'project= region= location= quiet format= flatten= filter= sort-by= limit='

/** The gcloud of a project. A command, or a flag, that it does not know is refused, as is any other project. */
export function gcloud(project: Project): Tool {
  const commands: Record<string, Command> = { ...services(project), ...jobs(project), ...tasks(project) }

  return async function gcloud({ args, folder, print, complain }) {
    const line = args.join(' ')
    const command = Object.keys(commands).find((words) => `${line} `.startsWith(`${words} `)) ?? ''
    const known = commands[command]
    if (!known) throw new Refusal(`ERROR: (gcloud) Invalid choice: '${line}' is not imitated`, 2)
    const refusal = (why: string, status = 1) =>
      new Refusal(`ERROR: (gcloud.${command.replaceAll(' ', '.')}) ${why}`, status)
    const { name, flags } = read(args.slice(command.split(' ').length), `${common} ${known.flags}`, refusal)
    if (flags.project !== project.id) throw refusal(`The project [${flags.project}] is not there`)
    if ((flags.region ?? flags.location ?? project.region) !== project.region)
      throw refusal(`Nothing is in ${flags.region ?? flags.location}`)

    if (!/ (list|describe)$/.test(command)) project.journal.push(`${command} ${name}`)
    try {
      print(render((await known.run({ name, flags, folder, complain })) ?? [], flags))
      return 0
    } catch (error) {
      throw error instanceof Refusal ? refusal(error.message) : error
    }
  }
}

function read(args: string[], known: string, refusal: (why: string, status: number) => Refusal) {
  const options = known.split(' ').map((flag) => {
    const type: 'string' | 'boolean' = flag.endsWith('=') ? 'string' : 'boolean'
    return [flag.replace('=', ''), { type }] as const
  })
  try {
    const { values, positionals } = parseArgs({
      ...{ args, options: Object.fromEntries(options), allowPositionals: true },
    })
    if (positionals.length > 1) throw new Error(`unrecognized arguments: ${positionals.slice(1)}`)
    const flags = Object.entries(values).map(([flag, value]) => [flag, `${value}`])
    return { name: positionals[0] ?? '', flags: Object.fromEntries(flags) as Given['flags'] }
  } catch (error) {
    throw refusal(error instanceof Error ? error.message : `${error}`, 2)
  }
}
