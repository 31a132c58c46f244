import { symlink, writeFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { expect, test } from 'vitest'
import { type LogEntry, toLogEntry } from '#test/support/monitoring/log-entry.ts'
import { parseFilter } from '#test/support/monitoring/logging-query.ts'
import { scripts } from '#test/support/scripts.ts'
import { stepProcess } from '#test/support/step-process.ts'

/** The lines of a service that has run: two requests, each with a task, which ran after both; a tick; an error. */
async function entriesOfARun(): Promise<readonly LogEntry[]> {
  const service = await stepProcess()
  const { lines } = await service.start()
  service.directions.push('fail', 'write', 'fatal')
  await service.enqueue('first')
  await service.enqueue('second')
  await service.finish()
  await service.tick()
  return lines.map((line) => toLogEntry(line))
}

const entries = await entriesOfARun()
const ids = [...new Set(entries.flatMap(({ labels }) => labels?.task_id ?? []))]
const traces = [...new Set(entries.flatMap(({ labels }) => labels?.task_trace ?? []))]

/** Runs deploy/logs where Cloud Logging has these entries: those that its own filter finds. */
async function logs(args: readonly string[], cause = '') {
  const project = await scripts('test/deploy/fixtures/logs.sh')
  await symlink(resolve('dev'), join(project.folder, 'dev'))
  await writeFile(join(project.google, 'cause'), cause)
  const put = (found: readonly LogEntry[]) =>
    writeFile(join(project.google, 'entries'), JSON.stringify(found.toReversed()))
  await put(entries)
  const environment = { PROJECT_ID: 'my-project' }
  await project.run('deploy/logs', [...args], environment) // to learn its filter
  const filter = /logging read (.*) --project my-project (.*) --format json$/.exec(
    `${(await project.calls()).at(-1)}`,
  )
  await put(entries.filter(findable(`${filter?.[1]}`)))
  const run = await project.run('deploy/logs', [...args], environment)
  return { ...run, options: filter?.[2], shape: run.stdout.replaceAll(/^(\d\d:\d\d:\d\d\.\d{3})/gm, 'TIME') }
}

/** The lines of the test have a trace without a project. */
function findable(filter: string) {
  const test = parseFilter(filter.replaceAll('projects/my-project/traces/', ''))
  return (entry: LogEntry) => test(entry)
}

test('prints each request with its tasks below it, and says nothing of ticks', async () => {
  const { status, stderr, shape, options } = await logs([])
  expect([status, stderr, options]).toEqual([0, '', '--freshness 1h --limit 500'])
  const requests = shape.split(/(?=^TIME +POST +\/steps)/m).slice(1)
  expect(requests).toHaveLength(2)
  for (const [index, request] of requests.entries()) {
    const tasks = request.split('\n').filter((line) => line.includes('└ steps.step'))
    expect(tasks.length, `tasks of request ${index}`).toBeGreaterThanOrEqual(1)
    expect(request).not.toContain('←') // no task needs to name a request above
  }
  expect(shape).toMatch(/^── \d{4}-\d\d-\d\d \(UTC\) ──$/m)
  expect(shape).not.toContain('/runtime/tick')
})

test('--task prints a task, and the request that enqueued it', async () => {
  const { stdout, options } = await logs(['--task', `${ids[0]}`], traces[0])
  expect(options).toContain('--freshness 30d')
  expect(stdout.match(/POST +\/steps/g)).toHaveLength(1)
  expect(stdout).toContain('└ steps.step attempt 1')
  const others = entries
    .filter(({ labels }) => labels?.task_id === ids[1])
    .map(({ timestamp }) => timestamp.slice(11, 23))
  for (const time of others) expect(stdout).not.toContain(time)
})

test('--trace prints a request and its tasks, --errors the errors alone', async () => {
  const trace = await logs([`--trace=${traces[1]}`, 'staging', '--since', '2d'])
  expect(trace.options).toBe('--freshness 2d --limit 500')
  expect(trace.status).toBe(1) // the entries are live's
  const live = await logs([`--trace=${traces[1]}`])
  expect(live.stdout.match(/POST +\/steps/g)).toHaveLength(1)
  expect(live.stdout).toContain('└ steps.step')
  const errors = await logs(['--errors'])
  expect(errors.stdout).toContain('ERROR')
  expect(errors.stdout).not.toMatch(/POST +\/steps/)
})

test('says when there is no such line, and refuses what is no trace, no task and no time', async () => {
  const none = await logs(['--trace', `${'0'.repeat(31)}1`])
  expect([none.status, none.stderr]).toEqual([
    1,
    expect.stringContaining('runway-live has no such line since 30d'),
  ])
  const project = await scripts()
  for (const args of [
    ['--trace', 'x'],
    ['--task', 'x"'],
    ['--since', 'yesterday'],
    ['--limit', '0'],
    ['--task'],
    ['prod'],
  ]) {
    const run = await project.run('deploy/logs', args, { PROJECT_ID: 'my-project' })
    expect([args, run.status, run.stdout]).toEqual([args, 2, ''])
  }
  expect(await project.calls()).toEqual([])
})
