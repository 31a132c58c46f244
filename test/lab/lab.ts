import { beforeAll, inject } from 'vitest'
import { type Api, as, client, makeDatabase, type ServiceProcess, startService } from '#test/kit'

/** The lab's process, and clients of it. */
export interface Lab {
  readonly process: ServiceProcess
  readonly databaseUrl: string
  /** Without a token. */
  readonly api: Api
  readonly as: (subject: string, scopes?: readonly string[]) => Promise<Api>
}

/** Starts the bundle that serves the lab, on a database of its own. It ends with the test, or with the file. */
export async function startLab(
  environment: Record<string, string> = {},
  args: readonly string[] = [],
): Promise<Lab> {
  const databaseUrl = await makeDatabase()
  const variables = { DATABASE_URL: databaseUrl, REPLY_CHECK: 'fail', ...environment }
  const process = await startService(variables, { file: inject('labBundle'), args })
  return {
    process,
    databaseUrl,
    api: client(process.url),
    as: async (subject, scopes) => client(process.url, await as(subject, scopes)),
  }
}

/** One process for all tests of a file: `const lab = sharedLab()`, then `lab.api('/things')`. */
export function sharedLab(environment: Record<string, string> = {}): Lab {
  let started: Lab | undefined
  beforeAll(async () => {
    started = await startLab(environment)
  })
  const lab = () => {
    if (!started) throw new Error('The lab is started before the tests, not before the file.')
    return started
  }
  return {
    get process() {
      return lab().process
    },
    get databaseUrl() {
      return lab().databaseUrl
    },
    api: (path, request) => lab().api(path, request),
    as: (subject, scopes) => lab().as(subject, scopes),
  }
}
