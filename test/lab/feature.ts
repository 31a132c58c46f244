import { at, defineFeature, type Feature } from '#runtime'
import { bodies } from './routes/bodies.ts'
import { cookieRoutes } from './routes/cookies.ts'
import { databaseRoutes, memberProblems } from './routes/database.ts'
import { downloads } from './routes/downloads.ts'
import { eventRoutes } from './routes/events.ts'
import { forms } from './routes/forms.ts'
import { middlewareRoutes } from './routes/middleware.ts'
import { odd } from './routes/odd.ts'
import { outgoing } from './routes/outgoing.ts'
import { nested, paths } from './routes/paths.ts'
import { redirects } from './routes/redirects.ts'
import { relays } from './routes/relays.ts'
import { responses } from './routes/responses.ts'
import { streams } from './routes/streams.ts'
import { remind, todoProblems, todos } from './routes/todos.ts'
import { typedBodies } from './routes/typed-bodies.ts'
import { valueRoutes } from './routes/values.ts'
import { webhooks } from './routes/webhooks.ts'

/**
 * The fork's lab: one feature that uses the runtime in every way that forks do. Each file of routes/ is one of these
 * ways. The tests beside this file send it requests over HTTP, to a process of the bundle.
 */
export const lab: readonly Feature[] = [
  defineFeature({
    name: 'lab',
    description: 'What forks do with the runtime.',
    routes: () => [
      ...paths(),
      ...outgoing(),
      ...streams(),
      ...responses(),
      ...valueRoutes(),
      ...webhooks(),
      ...bodies(),
      ...typedBodies(),
      ...odd(),
      ...middlewareRoutes(),
      ...relays(),
      ...cookieRoutes(),
      ...redirects(),
      ...downloads(),
      ...forms(),
    ],
  }),
  at(
    '/nested/{shop}',
    defineFeature({ name: 'nested', description: 'Below a prefix.', routes: () => nested() }),
  ),
  defineFeature({
    name: 'database',
    description: 'What forks do with the database.',
    problems: memberProblems,
    routes: ({ database }) => databaseRoutes(database),
  }),
  defineFeature({
    name: 'events',
    description: 'What senders tell of, more than once.',
    routes: ({ database }) => eventRoutes(database),
  }),
  defineFeature({
    name: 'tasks',
    description: 'Things to do.',
    problems: todoProblems,
    tasks: [remind],
    routes: ({ database }) => todos(database),
  }),
]
