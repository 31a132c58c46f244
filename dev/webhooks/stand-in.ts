import type { LocalService } from '../local/local-service.ts'
import type { Environment } from '../machine/settings.ts'

/** Lets the webhooks of development go to receivers on this machine, unless WEBHOOKS_PRIVATE_HOSTS says where. */
export async function start(environment: Environment): Promise<LocalService> {
  const hosts = environment.WEBHOOKS_PRIVATE_HOSTS ?? 'localhost,127.0.0.1'
  return { environment: { WEBHOOKS_PRIVATE_HOSTS: hosts }, facts: [], stop: async () => {} }
}
