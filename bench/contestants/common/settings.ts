/** The environment that every contestant gets: the same as the service's own. */
const {
  DATABASE_URL = '',
  AUTH_SECRET,
  AUTH_ISSUER,
  AUTH_AUDIENCE,
  CLOUD_TASKS_EMULATOR_HOST,
  PORT,
} = process.env
const { TASKS_QUEUE = '', TASKS_URL = '', TASKS_INVOKER = '' } = process.env

export const settings = {
  port: Number(PORT),
  databaseUrl: DATABASE_URL,
  secret: AUTH_SECRET ?? '',
  issuer: AUTH_ISSUER ?? '',
  audience: AUTH_AUDIENCE ?? '',
  queue: TASKS_QUEUE,
  tasksUrl: TASKS_URL,
  invoker: TASKS_INVOKER,
  tasksHost: CLOUD_TASKS_EMULATOR_HOST,
}

/** The pool of `pg`: as many connections as the service has, which stay, because a contestant has nothing to do in others' turns. */
export const pool = { connectionString: settings.databaseUrl, max: 10, idleTimeoutMillis: 0 }
