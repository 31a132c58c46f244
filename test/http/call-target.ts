import type { RequestListener } from 'node:http'
import { afterEach, beforeAll, beforeEach, expect } from 'vitest'
import { expectJson, startTarget } from '#test/kit'
import { type Lab, startLab } from '#test/lab/lab.ts'
import { startGoogle } from '#test/support/google.ts'

/** What the lab's route says of the call that it made. */
export interface Asked {
  status?: number
  said?: string
  error?: string
  code?: string
}

/** Ends a process whose request leaves something behind. */
export const guard = ['--import', './dev/guard/preload.ts']

/** What a call gets that succeeds. */
export const good = { status: 200, said: 'answered' }

/** A response of the other service. */
export const answer =
  (status: number, headers: Record<string, string> = {}, body = ''): RequestListener =>
  (_request, response) =>
    void response.writeHead(status, headers).end(body)

/** Hangs up. */
export const cut: RequestListener = (request) => void request.socket.destroy()

/** Starts another service, a metadata server, and the lab in the bundle, whose route calls the other service. */
export async function startCallTarget() {
  const other = await startTarget()
  const google = await startGoogle()
  let lab: Lab

  beforeAll(async () => {
    const environment = { ...google.environment, REQUEST_TIMEOUT: '8s', GUARD: 'fail' }
    lab = await startLab(environment, [...guard, ...google.args])
  })
  beforeEach(() => {
    other.received.length = 0
    other.answers = []
  })
  afterEach(() => expect(lab.process.child.exitCode, 'the guard ends no process').toBe(null))

  /** Has the lab call the other service. */
  async function ask(options: object = {}, headers: Record<string, string> = {}): Promise<Asked> {
    const json = { url: `${other.url}?secret=1`, ...options }
    return expectJson<Asked>(await lab.api('/outgoing/ask', { json, headers }))
  }

  return { other, google, ask, lab: (): Lab => lab }
}
