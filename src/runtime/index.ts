/**
 * Everything that a service uses of the runtime: `import { defineFeature, z } from '#runtime'`. All other modules of the
 * runtime are internal.
 *
 * @module
 */

// Schemas

/**
 * zod 4, with `.openapi()`: it gives a schema a name, a description or an example in the contract.
 *
 * @example
 * const Order = z.object({ id: z.uuid() }).openapi('Order')
 * Order.safeParse({ id: 'none' }).success // → false
 */
export { z } from '@hono/zod-openapi'

// Features and their routes

export { type ApiKey, defineApiKey } from './auth/api-key.ts'
export { at, defineFeature, type Feature, type FeatureContext } from './feature.ts'
export type { CallerMiddleware, CreateMiddleware } from './routes/caller-middleware.ts'
export { type Auth, type CallerOf, defineAuth } from './routes/define-auth.ts'
export {
  defineRoute,
  type Handler,
  handle,
  handlePlain,
  json,
  jsonBody,
  type Operation,
  type PlainOperation,
  type PlainRoute,
  type RouteDefinition,
} from './routes/route.ts'
export { sse, stream } from './routes/stream.ts'
export { file } from './schemas/file.ts'

// Requests, responses and problems

export type { Caller } from './auth/caller.ts'
export type { SignToken } from './auth/sign.ts'
export { call, callOperation } from './http/call.ts'
export { CallError, type ReceivedProblem } from './http/call-error.ts'
export type { CallOptions } from './http/call-options.ts'
export { location } from './http/location.ts'
export { entityTag, matchedVersions, noneMatch } from './http/preconditions.ts'
export { requestMemory } from './http/request-memory.ts'
export { type ServerSentEvent, sendEvents, sendStream } from './http/send-stream.ts'
export { statusProblems } from './http/status-problems.ts'
export { tracedFetch } from './http/traced-fetch.ts'
export { defineProblems, Problem, type ProblemDefinition, problems } from './kernel/problem.ts'

// Data

export { cursorParameter, decodeCursor, encodeCursor, pageOf } from './database/cursor.ts'
export type { Database, Transaction } from './database/database.ts'
export { defineQuery, type QueryValues } from './database/define-query.ts'
export { mapRefusals } from './database/map-refusals.ts'
export { fromNow, now } from './database/now.ts'
export { createReader, type Reader } from './database/reader.ts'
export type { OpenReader } from './database/reader-pools.ts'
export { defineSort, type Sort, type SortPosition } from './database/sort.ts'

// Tasks

export { type Duration, toMilliseconds } from './kernel/duration.ts'
export { BatchCounts } from './tasks/batch-counts.ts'
export { type Batch, cancelBatch, findBatch } from './tasks/batches.ts'
export { type Cancellation, cancelTask } from './tasks/cancel.ts'
export type { CloudTasks } from './tasks/cloud-tasks.ts'
export { type EnqueueOptions, enqueue } from './tasks/enqueue.ts'
export { type EnqueueManyOptions, enqueueMany } from './tasks/enqueue-many.ts'
export { defineSchedule, type Schedule } from './tasks/schedule.ts'
export { sendSignal } from './tasks/send-signal.ts'
export { type Attempt, defineTask, type Effect, type Task } from './tasks/task.ts'
export { FatalError, fatal, RetryAfterError, retryAfter } from './tasks/task-errors.ts'

// Variables

export type { Config } from './config/config.ts'
export type { Variables } from './config/parse-values.ts'
export {
  anyText,
  databaseUrl,
  flag,
  host,
  integer,
  list,
  oneOf,
  origin,
  seconds,
  secureUrl,
  text,
  variable,
} from './config/values.ts'

// Log and reports

export { defineLogField, type LogField } from './log/log-field.ts'
export type { Log } from './log/logger.ts'
export { reportError, reportWarning } from './log/report.ts'

// What `src/app.ts` joins

export { createAuthentication } from './auth/authentication.ts'
export type { AuthOptions } from './auth/verify.ts'
export { completeConfig } from './config/config.ts'
export { ownedHosts } from './config/owned-hosts.ts'
export { describeVersion } from './config/version.ts'
export { pingDatabase } from './database/database.ts'
export { createReaderPools } from './database/reader-pools.ts'
export { docsFeatures } from './docs/docs.ts'
export { variablesOf } from './feature.ts'
export { compression } from './http/compression.ts'
export { crossOrigin } from './http/cross-origin.ts'
export { deadline } from './http/deadline.ts'
export type { BaseEnv } from './http/env.ts'
export { https } from './http/https.ts'
export { notFound } from './http/not-found.ts'
export { type ProblemFormat, problemDetails } from './http/problem-format.ts'
export { problemResponder } from './http/problem-responder.ts'
export type { ReadinessChecks } from './http/readiness.ts'
export { requestContext } from './http/request-context.ts'
export type { ResponseHeaders } from './http/response-headers.ts'
export type { Reporter } from './kernel/reporter.ts'
export { openApiDocument } from './openapi/load-document.ts'
export { apiKeysOf } from './routes/api-keys.ts'
export { crossOriginNames } from './routes/cross-origin-names.ts'
export { mount, refuseUndeclared } from './routes/mount.ts'
export { systemFeature } from './routes/system.ts'
export { backgroundWork } from './tasks/tasks.ts'
export { createTraces } from './traces/traces.ts'

// What `src/main.ts`, `src/migrate.ts` and `dev/` start, stop and show

export { createSigner } from './auth/sign.ts'
export { ConfigError, describeConfig, parseConfig, parseDatabase } from './config/config.ts'
export { createDatabase } from './database/create-database.ts'
export { migrate } from './database/migrate.ts'
export { createHttpServer } from './http/server.ts'
export { isEndOfRequest } from './kernel/context.ts'
export { waitAtMost } from './kernel/wait-at-most.ts'
export { captureConsole } from './log/capture.ts'
export { createLogger } from './log/logger.ts'
export { standardOutput } from './log/output.ts'
export { prettyLine } from './log/pretty.ts'
export { reportOutsideRequests } from './log/report.ts'
export { scopesIn } from './openapi/scopes.ts'
