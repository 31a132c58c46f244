import { z } from '@hono/zod-openapi'

// A build's configuration, by https://cloud.google.com/build/docs/api/reference/rest/v1/projects.builds: what a person
// may write there, and no more. What only Google fills in is left out.

const Duration = z.string().regex(/^\d+(\.\d{1,9})?s$/, 'must be seconds, such as 600s')
const Variable = z.string().regex(/^[A-Za-z_]\w*=/, 'must be NAME=value')
const Volume = z.strictObject({ name: z.string().min(1), path: z.string().startsWith('/') })
const Text = z.string().min(1)

const Step = z
  .strictObject({
    name: Text,
    id: Text,
    args: z.array(z.string().max(10_000)).max(100).optional(),
    entrypoint: Text.optional(),
    script: Text.optional(),
    dir: Text.optional(),
    env: z.array(Variable).max(100).optional(),
    secretEnv: z.array(Text).max(100).optional(),
    automapSubstitutions: z.boolean().optional(),
    waitFor: z.array(Text).optional(),
    volumes: z.array(Volume).optional(),
    timeout: Duration.optional(),
    allowFailure: z.boolean().optional(),
    allowExitCodes: z.array(z.int().min(1).max(255)).optional(),
  })
  .refine(({ script, args, entrypoint }) => !script || !(args || entrypoint), {
    error: 'a script has no args and no entrypoint',
  })

const Options = z.strictObject({
  env: z.array(Variable).max(100).optional(),
  secretEnv: z.array(Text).max(100).optional(),
  volumes: z.array(Volume).optional(),
  logging: z.enum(['LEGACY', 'GCS_ONLY', 'CLOUD_LOGGING_ONLY', 'NONE']).optional(),
  logStreamingOption: z.enum(['STREAM_DEFAULT', 'STREAM_ON', 'STREAM_OFF']).optional(),
  defaultLogsBucketBehavior: z.enum(['REGIONAL_USER_OWNED_BUCKET', 'LEGACY_BUCKET']).optional(),
  enableStructuredLogging: z.boolean().optional(),
  dynamicSubstitutions: z.boolean().optional(),
  automapSubstitutions: z.boolean().optional(),
  substitutionOption: z.enum(['MUST_MATCH', 'ALLOW_LOOSE']).optional(),
  machineType: z
    .enum(['UNSPECIFIED', 'E2_MEDIUM', 'E2_HIGHCPU_8', 'E2_HIGHCPU_32', 'N1_HIGHCPU_8', 'N1_HIGHCPU_32'])
    .optional(),
  diskSizeGb: z.int().min(1).max(4000).optional(),
  pool: z.strictObject({ name: Text }).optional(),
  requestedVerifyOption: z.enum(['NOT_VERIFIED', 'VERIFIED']).optional(),
  sourceProvenanceHash: z.array(z.enum(['NONE', 'SHA256', 'MD5', 'SHA512'])).optional(),
})

const Secret = z.strictObject({
  versionName: z.string().regex(/^projects\/[^/]+\/secrets\/[^/]+\/versions\/[^/]+$/),
  env: z.string().regex(/^[A-Za-z_]\w*$/),
})

const Artifacts = z.strictObject({
  images: z.array(Text).optional(),
  objects: z.strictObject({ location: z.string().startsWith('gs://'), paths: z.array(Text) }).optional(),
})

/** `cloudbuild.yaml`, parsed. */
export const Build = z.strictObject({
  steps: z.array(Step).min(1).max(300),
  timeout: Duration.optional(),
  queueTtl: Duration.optional(),
  images: z.array(Text).optional(),
  artifacts: Artifacts.optional(),
  logsBucket: z.string().startsWith('gs://').optional(),
  options: Options.optional(),
  substitutions: z.record(z.string().regex(/^_[A-Z0-9_]{1,99}$/), z.string().max(4000)).optional(),
  tags: z
    .array(z.string().regex(/^[\w][\w.-]{0,127}$/))
    .max(64)
    .optional(),
  serviceAccount: z
    .string()
    .regex(/^projects\/[^/]+\/serviceAccounts\/[^/]+$/)
    .optional(),
  availableSecrets: z.strictObject({ secretManager: z.array(Secret).min(1) }).optional(),
})

export type Build = z.infer<typeof Build>
