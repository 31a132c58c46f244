import { randomUUIDv7 } from 'node:crypto'
import { eq } from 'drizzle-orm'
import { boolean, pgTable, text, uuid } from 'drizzle-orm/pg-core'
import {
  type Database,
  defineProblems,
  defineRoute,
  defineTask,
  enqueue,
  handle,
  json,
  jsonBody,
  Problem,
  z,
} from '#runtime'

// A to-do service: every name in it was the runtime's once.

/** Its table, beside the runtime's own `tasks`. The fork may have one of that name. */
export const createTodos = `drop table if exists tasks cascade;
  create table tasks (
  id uuid primary key, state text not null constraint tasks_state check (state in ('open', 'done')),
  title text not null, reminded boolean not null default false);
  create unique index tasks_key on tasks (title)`

const tasks = pgTable('tasks', {
  id: uuid('id').primaryKey(),
  state: text('state').notNull(),
  title: text('title').notNull(),
  reminded: boolean('reminded').notNull().default(false),
})

/** Its problems. */
export const todoProblems = defineProblems({
  TASK_NOT_FOUND: { status: 404, title: 'There is no such thing to do' },
  TASK_BUSY: { status: 409, title: 'Somebody does it' },
})

const NewTask = z.strictObject({ title: z.string() }).openapi('NewTask', { example: { title: 'Buy tea' } })
const example = {
  id: '01932b1c-7a00-7c3e-8d5f-5a1b2c3d4e5f',
  title: 'Buy tea',
  state: 'open',
  reminded: false,
}
const Task = z
  .object({ id: z.uuid(), title: z.string(), state: z.string(), reminded: z.boolean() })
  .openapi('Task', { example })

const createTask = defineRoute({
  method: 'post',
  path: '/tasks',
  operationId: 'createTask',
  summary: 'Note something to do',
  security: ['tasks:admin'],
  idempotent: true,
  request: { body: jsonBody(NewTask) },
  responses: { 201: json('The task', Task) },
  problems: [todoProblems.TASK_BUSY],
})

const getTask = defineRoute({
  method: 'get',
  path: '/tasks/{id}',
  operationId: 'getTask',
  summary: 'Show something to do',
  security: ['tasks:admin'],
  request: { params: z.object({ id: z.uuid() }) },
  responses: { 200: json('The task', Task) },
  problems: [todoProblems.TASK_NOT_FOUND],
})

/** Its background task. */
export const remind = defineTask({
  name: 'tasks.tick',
  payload: z.object({ id: z.uuid() }),
  async run({ payload: { id } }) {
    return async (tx) => {
      await tx.update(tasks).set({ reminded: true }).where(eq(tasks.id, id))
    }
  },
})

/** Its routes. */
export function todos(database: Database) {
  return [
    handle(createTask, async (c) => {
      const task = { id: randomUUIDv7(), state: 'open', reminded: false, ...c.req.valid('json') }
      await c.var.tx.insert(tasks).values(task)
      await enqueue(c.var.tx, remind, { id: task.id }, { key: task.title })
      return c.json(task, 201)
    }),
    handle(getTask, async (c) => {
      const [task] = await database
        .select()
        .from(tasks)
        .where(eq(tasks.id, c.req.valid('param').id))
      if (!task) throw new Problem(todoProblems.TASK_NOT_FOUND)
      return c.json(task, 200)
    }),
  ]
}
