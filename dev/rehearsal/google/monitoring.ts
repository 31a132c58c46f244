import { readFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import { z } from 'zod'
import type { Project } from '../project/project.ts'
import { pairs } from '../shell/pairs.ts'
import { Refusal } from '../shell/programs.ts'
import type { Command, Commands, Given } from './command.ts'
import type { Resource } from './format.ts'

const policy = z.looseObject({ displayName: z.string(), conditions: z.array(z.unknown()).min(1).max(6) })
const dashboard = z.looseObject({ name: z.string(), etag: z.string().optional() })
const metric = z.looseObject({ filter: z.string() })
const ofPolicies = 'policy-from-file='

/** The commands about log-based metrics, alerts, their channels and dashboards. */
export function monitoringCommands({ id, monitoring }: Project): Commands {
  const { metrics, policies, dashboards, channels } = monitoring
  const list = (kind: Map<string, Resource>) => ({ run: () => [...kind.values()] })

  async function read<Value>(schema: z.ZodType<Value>, { flags, folder }: Given): Promise<Value> {
    const file = flags['config-from-file'] ?? flags['policy-from-file'] ?? ''
    return schema.parse(JSON.parse(await readFile(resolve(folder, file), 'utf8')))
  }

  /** Saves one that must exist already, or must not. */
  function put(kind: Map<string, Resource>, name: string, mustExist: boolean, value: Resource): void {
    if (kind.has(name) !== mustExist)
      throw new Refusal(`${mustExist ? 'NOT_FOUND' : 'ALREADY_EXISTS'}: ${name}`)
    kind.set(name, value)
  }

  const saveMetric =
    (mustExist: boolean): Command['run'] =>
    async (given) => {
      const value = await read(metric, given)
      put(metrics, given.name, mustExist, { ...value, name: given.name })
    }

  const saveDashboard =
    (mustExist: boolean): Command['run'] =>
    async (given) => {
      const value = await read(dashboard, given)
      const name = value.name.replace(/.*\//, '')
      if (dashboards.get(name)?.etag !== value.etag)
        throw new Refusal('ABORTED: the etag is not the current one')
      put(dashboards, name, mustExist, { ...value, etag: `e${dashboards.size}` })
    }

  /** A policy may only name metrics that exist. */
  const savePolicy =
    (mustExist: boolean, labels: string, to: string): Command['run'] =>
    async (given) => {
      const value = await read(policy, given)
      const named = JSON.stringify(value).matchAll(/logging\.googleapis\.com\/user\/([\w-]+)/g)
      for (const [, name = ''] of named)
        if (!metrics.has(name))
          throw new Refusal(`NOT_FOUND: Cannot find metric that matches type = "${name}"`)
      const name = mustExist ? given.name : `projects/${id}/alertPolicies/${policies.size + 1}`
      const notificationChannels = given.flags[to] ? [given.flags[to]] : []
      const userLabels = pairs((given.flags[labels] ?? '').split(','))
      put(policies, name, mustExist, { ...value, name, userLabels, notificationChannels })
    }

  const deletePolicy: Command['run'] = async ({ name }) => {
    if (!policies.delete(name)) throw new Refusal(`NOT_FOUND: ${name}`)
  }

  const createChannel: Command['run'] = ({ flags }) => {
    const name = `projects/${id}/notificationChannels/${channels.size + 1}`
    const channel = { name, labels: pairs((flags['channel-labels'] ?? '').split(',')) }
    channels.set(name, channel)
    return [channel]
  }

  const config = 'config-from-file='
  return {
    'logging metrics list': list(metrics),
    'logging metrics create': { flags: config, run: saveMetric(false) },
    'logging metrics update': { flags: config, run: saveMetric(true) },
    'monitoring dashboards list': list(dashboards),
    'monitoring dashboards create': { flags: config, run: saveDashboard(false) },
    'monitoring dashboards update': { flags: config, run: saveDashboard(true) },
    'monitoring policies list': list(policies),
    'monitoring policies create': {
      flags: `${ofPolicies} user-labels= notification-channels=`,
      run: savePolicy(false, 'user-labels', 'notification-channels'),
    },
    'monitoring policies update': {
      flags: `${ofPolicies} update-user-labels= set-notification-channels=`,
      run: savePolicy(true, 'update-user-labels', 'set-notification-channels'),
    },
    'monitoring policies delete': { run: deletePolicy },
    'beta monitoring channels list': { flags: 'type=', ...list(channels) },
    'beta monitoring channels create': { flags: 'type= display-name= channel-labels=', run: createChannel },
  }
}
