import { type ParseArgsConfig, parseArgs } from 'node:util'
import type { Project } from '../project.ts'
import { Refusal, type Tool } from '../shell/programs.ts'
import { deploys } from './deploy.ts'
import { type Flags, type Resource, render } from './format.ts'
import { services } from './services.ts'
import { tasks } from './tasks.ts'

/** What a command was given: the name of what it is about, its flags, and the folder that it was called in. */
interface Given {
  readonly name: string
  readonly flags: Flags
  readonly folder: string
}

/** The flags that a command takes, `=` behind those with a value, and what it does: returns what --format prints. */
export type Command = readonly [
  flags: string,
  run: (given: Given) => readonly Resource[] | Promise<readonly Resource[]> | Promise<void>,
]

const common = 'project= region= location= quiet format= flatten= filter= sort-by= limit='

/** The gcloud of a project. A command or a flag that it does not know is refused, as is any other project. */
export function gcloud(project: Project): Tool {
  const builds: Record<string, Command> = {
    'builds list': ['ongoing', () => [...project.going].map((id) => ({ id }))],
  }
  const commands = { ...services(project), ...deploys(project), ...tasks(project), ...builds }

  return async function gcloud(args, folder) {
    const line = args.join(' ')
    if (line === 'auth print-access-token') return project.token
    project.commands.push(args)
    const words = Object.keys(commands).find((known) => `${line} `.startsWith(`${known} `)) ?? ''
    const command = commands[words]
    if (!command) throw new Refusal(`${line} is not imitated`)
    if (words === project.mute) throw new Refusal('The service is currently unavailable.')
    const [known, run] = command
    const { name, flags } = read(args.slice(words.split(' ').length), `${common} ${known}`)
    const place = flags.region ?? flags.location ?? project.region
    if (flags.project !== project.id || ![project.region, 'global'].includes(place))
      throw new Refusal(`Nothing is in ${flags.project}, ${place}`)
    return render((await run({ name, flags, folder })) ?? [], flags)
  }
}

/** @throws {TypeError} for an unknown flag */
function read(args: string[], known: string): Pick<Given, 'name' | 'flags'> {
  const options: NonNullable<ParseArgsConfig['options']> = {}
  for (const flag of known.split(/\s+/))
    options[flag.replace('=', '')] = { type: flag.endsWith('=') ? 'string' : 'boolean' }
  const { values, positionals } = parseArgs({ args, options, allowPositionals: true })
  const [name = '', ...others] = positionals
  if (others.length > 0) throw new Refusal(`unrecognized arguments: ${others.join(' ')}`)
  const flags = Object.entries(values).map(([flag, value]) => [flag, `${value}`])
  return { name, flags: Object.fromEntries(flags) }
}
