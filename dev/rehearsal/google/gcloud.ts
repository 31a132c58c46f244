import { type ParseArgsConfig, parseArgs } from 'node:util'
import type { Project } from '../project/project.ts'
import { Refusal, type Tool } from '../shell/programs.ts'
import type { Commands, Given } from './command.ts'
import { deployCommands } from './deploy.ts'
import { render } from './format.ts'
import { monitoringCommands } from './monitoring.ts'
import { serviceCommands } from './services.ts'
import { taskCommands } from './tasks.ts'

const common = 'project= region= location= quiet format= flatten= filter= sort-by= limit='

/** The gcloud of a project. It refuses a command or a flag that it does not know, and any other project. */
export function gcloud(project: Project): Tool {
  const commands: Commands = {
    ...serviceCommands(project),
    ...deployCommands(project),
    ...taskCommands(project),
    ...monitoringCommands(project),
    'builds list': { flags: 'ongoing', run: () => [...project.going].map((id) => ({ id })) },
  }

  return async function gcloud(args, folder) {
    const line = args.join(' ')
    if (line === 'auth print-access-token') return project.token
    project.commands.push(args)
    const words = Object.keys(commands).find((known) => `${line} `.startsWith(`${known} `)) ?? ''
    const command = commands[words]
    if (!command) throw new Refusal(`${line} is not imitated`)
    if (words === project.mute) throw new Refusal('The service is currently unavailable.')
    const known = `${common} ${command.flags ?? ''}`
    const { name, flags } = read(args.slice(words.split(' ').length), known.trim())
    const place = flags.region ?? flags.location ?? project.region
    if (flags.project !== project.id || ![project.region, 'global'].includes(place))
      throw new Refusal(`Nothing is in ${flags.project}, ${place}`)
    return render((await command.run({ name, flags, folder })) ?? [], flags)
  }
}

/** @throws {TypeError} for an unknown flag */
function read(args: string[], known: string): Omit<Given, 'folder'> {
  const options: NonNullable<ParseArgsConfig['options']> = {}
  for (const flag of known.split(/\s+/))
    options[flag.replace('=', '')] = { type: flag.endsWith('=') ? 'string' : 'boolean' }
  const { values, positionals } = parseArgs({ args, options, allowPositionals: true })
  const [name = '', ...others] = positionals
  if (others.length > 0) throw new Refusal(`unrecognized arguments: ${others.join(' ')}`)
  const flags = Object.entries(values).map(([flag, value]) => [flag, `${value}`])
  return { name, flags: Object.fromEntries(flags) }
}
