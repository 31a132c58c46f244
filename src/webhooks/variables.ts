import { host, list, seconds } from '#runtime'

/** The environment variables of webhooks. */
export const webhookVariables = {
  WEBHOOKS_PRIVATE_HOSTS: list('must be hosts, such as hooks.internal.example.com, localhost:9000', host, []),
  WEBHOOKS_KEEP: seconds(3_600, 31_536_000, 2_592_000),
}
