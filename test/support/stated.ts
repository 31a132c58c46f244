/** What the tests of deploy/ expect, whatever a fork calls its service and has in cloudbuild.yaml. */
export const stated = {
  _SERVICE: 'runway',
  _REGION: 'europe-west1',
  _REPOSITORY: 'services',
  _CLOUD_SQL: '',
  _TASK_CONCURRENCY: '10',
  _TASK_RATE: '50',
  _ALERT_EMAIL: '',
} as const

/** An environment's variables, whatever a fork has added. */
export const statedVariables = `DATABASE_URL=secret:database-url
DATABASE_POOL=4
AUTH_SECRET=secret:auth-secret
`

/** A cloudbuild.yaml with these values in place of its own. */
export function withStated(cloudbuild: string): string {
  return Object.entries(stated).reduce(
    (text, [name, value]) => text.replace(new RegExp(`^  ${name}: .*`, 'm'), `  ${name}: "${value}"`),
    cloudbuild,
  )
}
