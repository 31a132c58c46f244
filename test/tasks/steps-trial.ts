import { sql } from 'drizzle-orm'
import { beforeEach } from 'vitest'
import { z } from 'zod'
import { enqueue } from '#src/runtime/tasks/enqueue.ts'
import { type Attempt, defineTask } from '#src/runtime/tasks/task.ts'
import { trial } from './trial.ts'

/** A service with one task, which does what `script.run` says. Each test starts with `script.run` as it was, and no rows. */
export async function stepsTrial() {
  const script: { run: (attempt: Attempt) => Promise<unknown> } = { run: async () => {} }
  const seen: string[] = []
  const work = defineTask({
    name: 'trial.work',
    payload: z.object({}),
    retry: { attempts: 3, backoff: { min: '5s', max: '5s' } },
    run: async (attempt) => (await script.run(attempt)) as undefined,
  })
  const service = await trial({ tasks: [work] })
  const { request, query } = service
  beforeEach(async () => {
    await service.clear()
    await query('delete from test_notes')
    seen.length = 0
  })
  return {
    ...service,
    script,
    seen,
    work,
    enqueueWork: () => request((tx) => enqueue(tx, work, {})),
    steps: () => query('select * from runtime.steps order by position'),
    written: async () => (await query('select text from test_notes order by text')).map(({ text }) => text),
  }
}

/** A statement that writes a note. */
export function write(text: string) {
  return sql`insert into test_notes (id, owner, text, pages) values (gen_random_uuid(), 'work', ${text}, 1)`
}

/** A function that fails as often as this, and then does nothing. */
export function failing(times: number): () => void {
  let left = times
  return () => {
    if (left-- > 0) throw new Error('not yet')
  }
}
