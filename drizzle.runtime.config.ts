import { defineConfig } from 'drizzle-kit'

// `npm run migration:runtime`: the runtime's tables, for those who maintain the runtime. A fork does not need it.

export default defineConfig({
  dialect: 'postgresql',
  schema: ['src/runtime/database/schema.ts', 'src/runtime/**/*table.ts'],
  out: './migrations/runtime',
})
