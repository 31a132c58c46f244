import { parseArgs } from 'node:util'
import { deploy } from './deploy.ts'
import { type Flags, type Resource, render } from './format.ts'
import { jobs } from './jobs.ts'
import type { Project } from './project.ts'
import { services } from './services.ts'
import { type Call, Refusal, type Tool } from './stand-ins.ts'
import { tasks } from './tasks.ts'

/** What a command was given: the name of what it is about, and its flags. */
interface Given extends Pick<Call, 'folder' | 'signal' | 'complain'> {
  readonly name: string
  readonly flags: Flags
}

/** The flags that a command takes, `=` behind those with a value, and what it does: returns what --format prints. */
export type Command = readonly [
  flags: string,
  run: (given: Given) => readonly Resource[] | Promise<readonly Resource[]> | Promise<void>,
]

const common = 'project= region= location= quiet format= flatten= filter= sort-by= limit='

/** The gcloud of a project. A command or a flag that it does not know is refused, as is any other project. */
export function gcloud(project: Project): Tool {
  const commands: Readonly<Record<string, Command>> = {
    ...{ ...services(project), ...jobs(project), ...tasks(project), 'run deploy': deploy(project) },
  }

  return async function gcloud({ args, print, ...call }) {
    project.commands.push(args)
    const line = args.join(' ')
    const words = Object.keys(commands).find((known) => `${line} `.startsWith(`${known} `)) ?? ''
    try {
      const command = commands[words]
      if (!command) throw new Refusal(`${line} is not imitated`)
      if (words === project.mute) throw new Refusal('The service is currently unavailable.')
      const [known, run] = command
      const { name, flags } = read(args.slice(words.split(' ').length), `${common} ${known}`)
      const place = flags.region ?? flags.location ?? project.region
      if (flags.project !== project.id || place !== project.region)
        throw new Refusal(`Nothing is in ${flags.project}, ${place}`)
      if (!/ (list|describe)$/.test(words)) project.journal.push(`${words} ${name}`)
      print(render((await run({ ...call, name, flags })) ?? [], flags))
      return 0
    } catch (error) {
      if (!(error instanceof Refusal || error instanceof TypeError)) throw error
      throw new Refusal(`ERROR: (gcloud.${words.replaceAll(' ', '.')}) ${error.message}`)
    }
  }
}

/** @throws {TypeError} for an unknown flag */
function read(args: string[], known: string): { name: string; flags: Flags } {
  const options = known.split(/\s+/).map((flag) => {
    return [
      flag.replace('=', ''),
      { type: flag.endsWith('=') ? ('string' as const) : ('boolean' as const) },
    ] as const
  })
  const { values, positionals } = parseArgs({
    args,
    options: Object.fromEntries(options),
    allowPositionals: true,
  })
  const [name = '', ...others] = positionals
  if (others.length > 0) throw new Refusal(`unrecognized arguments: ${others.join(' ')}`)
  return {
    name,
    flags: Object.fromEntries(Object.entries(values).map(([flag, value]) => [flag, `${value}`])),
  }
}
